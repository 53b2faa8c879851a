// SPDX-License-Identifier: Apache-2.0
import DockerAPI
import Engine
import HTTPServer
import JSON
import OCISpec

/// `/images/create` (pull), `/images/…/push`, `/images/load` and `/images/get` (save): streams.
struct ImageTransferRoutes {
    let images: ImageService
    let registries: RegistryService

    func register(on router: inout Router) {
        router.on(.post, "/images/create", create)
        router.on(.post, "/images/load", load)
        router.on(.post, "/images/{name:.*}/push", push)
        router.on(.get, "/images/get") { try await save($0.query.all("names"), $0) }
        router.on(.get, "/images/{name:.*}/get") { try await save([$0.parameter("name")], $0) }
    }

    @Sendable private func create(_ request: Request) async throws -> Response {
        guard let image = request.query.get("fromImage"), !image.isEmpty else {
            return try await importArchive(request)
        }
        let tag = request.query.get("tag") ?? ""
        let reference = try ImageService.pullReference(image: image, tag: tag)
        let platform = try request.query.get("platform").flatMap { $0.isEmpty ? nil : try Platform(parsing: $0) }
        let credentials = RegistryAuth.credentials(request.headers["X-Registry-Auth"])
        if tag.isEmpty, let repository = try? ImageReference(image), repository.tag == nil, repository.digest == nil {
            let references = try await registries.tagged(repository, credentials: credentials)
            return try await stream(images.pull(all: references, platform: platform, credentials: credentials))
        }
        return try await stream(images.pull(reference, platform: platform, credentials: credentials))
    }

    /// `fromSrc`: the body (`-`), or a URL.
    private func importArchive(_ request: Request) async throws -> Response {
        guard let source = request.query.get("fromSrc"), !source.isEmpty else {
            throw EngineError.invalidArgument("neither fromImage nor fromSrc was given")
        }
        let platform = try request.query.get("platform").flatMap { $0.isEmpty ? nil : try Platform(parsing: $0) }
        if let platform, platform.os != "linux" {
            throw EngineError.invalidArgument("operating system is not supported")
        }
        var wanted = ImageImportRequest(
            reference: try ImageService.newReference(
                repository: request.query.get("repo") ?? "", tag: request.query.get("tag") ?? ""),
            changes: try ImageChanges(request.query.all("changes")), platform: platform)
        wanted.message = request.query.get("message") ?? ""
        let lines =
            source == "-"
            ? images.importArchive(wanted, from: request.body) : images.importArchive(wanted, url: source)
        return try await stream(lines)
    }

    @Sendable private func push(_ request: Request) async throws -> Response {
        let name = try images.nameToPush(try request.parameter("name"), tag: request.query.get("tag") ?? "")
        let platform = try request.query.platforms("platform").first
        let credentials = RegistryAuth.credentials(request.headers["X-Registry-Auth"])
        return try await stream(images.push(name, platform: platform, credentials: credentials))
    }

    @Sendable private func load(_ request: Request) async throws -> Response {
        let platforms = try request.query.platforms("platform")
        do { return try await stream(images.load(request.body, platforms: platforms)) } catch {
            // docker has no other status for a bad archive.
            let line = ProgressMessage.error(EngineError(error).message)
            return .stream(.ok, contentType: "application/json") { try await $0.writeLine(line.json) }
        }
    }

    @Sendable private func save(_ names: [String], _ request: Request) async throws -> Response {
        let saved = try await images.imagesToSave(
            names.flatMap { $0.split(separator: ",").map { String($0) } },
            platforms: request.query.platforms("platform"))
        if saved.isEmpty { throw EngineError.invalidArgument("no images to save") }
        return .stream(.ok, contentType: "application/x-tar") { [images] body in
            try await images.save(saved) { try await body.write($0) }
        }
    }

    /// Waits for the first line: what fails before it gets a status of its own, what fails later a line.
    private func stream(_ lines: ProgressLines) async throws -> Response {
        var iterator = lines.makeAsyncIterator()
        let first = try await iterator.next()
        return .stream(.ok, contentType: "application/json") { body in
            if let first { try await body.writeLine(first.json) }
            do {
                for try await line in lines { try await body.writeLine(line.json) }
            } catch {
                try await body.writeLine(ProgressMessage.error(EngineError(error).message).json)
            }
        }
    }
}
