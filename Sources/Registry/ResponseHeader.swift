// SPDX-License-Identifier: Apache-2.0

/// Headers of a registry's answers that say more than a word. Their text is the registry's: anything may stand there.
enum ResponseHeader {
    /// The path below the repository of `<…/tags/list?…>; rel="next"` (`Link`, RFC 8288); nil if there is no further
    /// page.
    static func nextPage(_ link: String) -> String? {
        guard link.contains("rel=\"next\"") || link.contains("rel=next"), let start = link.firstIndex(of: "<"),
            let end = link[start...].firstIndex(of: ">")
        else { return nil }
        let target = link[link.index(after: start)..<end]
        guard let query = target.firstIndex(of: "?"), target[..<query].hasSuffix("tags/list") else { return nil }
        return "tags/list" + target[query...]
    }

    /// The number of bytes that `0-N` (`Range` of an upload) means. Nothing yet is `0-0` in some registries, which costs
    /// one byte that is sent twice at the most: the next PATCH is then refused with 416 and starts from what the registry
    /// says again.
    static func received(_ range: String) -> Int64? {
        let text = range.hasPrefix("bytes=") ? range.dropFirst(6) : range[...]
        let parts = text.split(separator: "-", omittingEmptySubsequences: false)
        guard parts.count == 2, parts[0] == "0", let last = Int64(parts[1]), last >= 0, last < Int64.max else {
            return nil
        }
        return last == 0 ? 0 : last + 1
    }

    /// The seconds of `Retry-After`; its form as a date is not read.
    static func retryAfter(_ text: String?) -> Int? { text.flatMap { Int($0) }.flatMap { $0 >= 0 ? $0 : nil } }
}
