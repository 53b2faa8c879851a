// SPDX-License-Identifier: Apache-2.0
import HTTPServer
import JSON
import OCISpec

/// What there is: tags, repositories, referrers (endpoints 8 and 12), and docker's search.
struct ListRoutes: Sendable {
    let store: RegistryStore

    func register(on router: inout PathRouter<RegistryRequest.Handler>) {
        router.on(.get, "/v2") { _ in .json(.ok, .object([])) }
        router.on(.get, "/v2/_catalog", catalog)
        router.on(.get, "/v2/{name:.*}/tags/list", tags)
        router.on(.get, "/v2/{name:.*}/referrers/{digest}", referrers)
        router.on(.get, "/v1/_ping") { _ in
            .with(headers: [("X-Docker-Registry-Standalone", "true")], .json(.ok, .bool(true)))
        }
        router.on(.get, "/v1/search", search)
    }

    @Sendable private func catalog(_ request: RegistryRequest) async throws -> Response {
        let page = try request.page()
        let list = try await store.blocking { try $0.repositories(page) }
        return answer(request, page, list, ["repositories": .strings(list.entries)])
    }

    @Sendable private func tags(_ request: RegistryRequest) async throws -> Response {
        let (repository, page) = (try request.repository(), try request.page())
        let list = try await store.blocking { try $0.tags(repository, page) }
        return answer(request, page, list, ["name": .string(repository.string), "tags": .strings(list.entries)])
    }

    private func answer(
        _ request: RegistryRequest, _ page: Page, _ list: (entries: [String], hasMore: Bool), _ json: JSONValue
    ) -> Response {
        let response = Response.json(.ok, json)
        guard list.hasMore, let last = list.entries.last else { return response }
        return .with(headers: [request.nextPage(page, last: last)], response)
    }

    @Sendable private func referrers(_ request: RegistryRequest) async throws -> Response {
        let (repository, subject, page) = (try request.repository(), try request.digest(), try request.page())
        let type = request.query.get("artifactType")
        let list = try await store.blocking { try $0.referrers(repository, subject, artifactType: type, page) }
        let index: JSONValue = [
            "schemaVersion": 2, "mediaType": .string(MediaType.ociIndex), "manifests": .array(list.entries),
        ]
        var fields: [(name: String, value: String)] = []
        if type != nil { fields.append(("OCI-Filters-Applied", "artifactType")) }
        if list.hasMore, let last = list.entries.last?["digest"]?.string {
            let filter = type.map { "&artifactType=" + percentEncoded($0) } ?? ""
            fields.append(request.nextPage(page, last: last, filter))
        }
        return .with(headers: fields, .bytes(.ok, contentType: MediaType.ociIndex, index.bytes()))
    }

    /// As Docker Hub answers `docker search`.
    @Sendable private func search(_ request: RegistryRequest) async throws -> Response {
        let text = request.query.get("q") ?? ""
        let size = min(max(Int(request.query.get("n") ?? "") ?? 25, 1), 100)
        let number = min(max(Int(request.query.get("page") ?? "") ?? 1, 1), 1 << 32)
        let (found, total) = try await store.blocking { try $0.search(text, from: (number - 1) * size, count: size) }
        let results = found.map { repository -> JSONValue in
            [
                "name": .string(repository.name), "description": .string(repository.description), "star_count": 0,
                "is_official": false, "is_automated": false,
            ]
        }
        return .json(
            .ok,
            [
                "num_pages": .int((total + Int64(size) - 1) / Int64(size)), "num_results": .int(total),
                "page_size": .int(Int64(size)), "page": .int(Int64(number)), "query": .string(text),
                "results": .array(results),
            ])
    }
}
