// SPDX-License-Identifier: Apache-2.0
import DockerAPI
import JSON
import Testing

@testable import Engine

@Suite("Download progress of an import")
struct DownloadProgressTests {
    private func counts(_ steps: [(Int64, Bool, Int64)]) -> [Int64] {
        let progress = DownloadProgress(total: 100)
        return steps.compactMap { count, isEnd, milliseconds in
            guard
                case .progress("Importing", id: "", let current, total: 100)? = progress.line(
                    at: count, isEnd: isEnd, now: milliseconds * 1_000_000)
            else { return nil }
            return current
        }
    }

    @Test("the first piece shows at once, later ones ten times a second, and the end always, but once")
    func lines() {
        #expect(
            counts([(1, false, 0), (2, false, 50), (3, false, 120), (4, false, 130), (4, true, 131)]) == [1, 3, 4])
        #expect(counts([(100, false, 0), (100, true, 1)]) == [100])
    }

    @Test("without a size there is no bar, only a count")
    func unknownSize() {
        let line = DownloadProgress(total: nil).line(at: 5000, isEnd: false, now: 1)
        #expect(
            line?.json.serialized()
                == #"{"status":"Importing","progressDetail":{"current":5000},"progress":"     5kB"}"#)
    }
}
