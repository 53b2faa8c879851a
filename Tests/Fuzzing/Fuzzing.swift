// SPDX-License-Identifier: Apache-2.0
import LinuxSystem

/// One parser of text or bytes that somebody else wrote: what is done with each input.
///
/// A trap, an input that takes too long or too much memory, and a broken promise (`expect`) are findings.
struct FuzzTarget: Sendable {
    var name: String
    var run: @Sendable ([UInt8]) -> Void

    init(_ name: String, _ run: @escaping @Sendable ([UInt8]) -> Void) {
        self.name = name
        self.run = run
    }

    /// Every target has a folder of its name in Corpus/.
    static let all = archiveTargets + imageTargets + runtimeTargets + daemonTargets + clientTargets

    /// The one that `SWRUN_FUZZ_TARGET` names.
    static let chosen: FuzzTarget = {
        let name = Environment.value("SWRUN_FUZZ_TARGET") ?? ""
        guard let target = all.first(where: { $0.name == name }) else {
            fatalError("SWRUN_FUZZ_TARGET must be one of \(all.map(\.name).joined(separator: " "))")
        }
        return target
    }()
}

typealias ArgumentList = UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>

@_silgen_name("LLVMFuzzerRunDriver")
func runDriver(
    _ count: UnsafeMutablePointer<CInt>, _ arguments: UnsafeMutablePointer<ArgumentList>,
    _ test: @convention(c) (UnsafePointer<UInt8>?, Int) -> CInt
) -> CInt

/// What the package manager calls the start of this program: libFuzzer's own (llvm.org/docs/LibFuzzer.html).
@_cdecl("Fuzzing_main")
public func start(_ count: CInt, _ arguments: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>) -> CInt {
    var (count, arguments) = (count, arguments)
    return runDriver(&count, &arguments) { start, count in
        FuzzTarget.chosen.run(Array(UnsafeBufferPointer(start: start, count: count)))
        return 0
    }
}

/// What must hold for every input.
func expect(_ condition: Bool, _ promise: @autoclosure () -> String) {
    if !condition { fatalError("broken promise: " + promise()) }
}

/// For what may be refused: the value, or nil after an error.
func accepted<R>(_ body: () throws -> R) -> R? { try? body() }

extension [UInt8] {
    var text: String { String(decoding: self, as: UTF8.self) }

    /// The input as several texts: what NUL bytes separate.
    func texts(_ count: Int) -> [String] {
        let parts = split(separator: 0, maxSplits: count - 1, omittingEmptySubsequences: false).map { Array($0).text }
        return parts + [String](repeating: "", count: count - parts.count)
    }

    /// The input as a stream would deliver it, cut at places that the input itself decides.
    var pieces: [ArraySlice<UInt8>] {
        var pieces: [ArraySlice<UInt8>] = []
        var rest = self[...]
        var seed = UInt32(truncatingIfNeeded: count) &+ UInt32(first ?? 0) &* 257
        while !rest.isEmpty {
            seed = seed &* 1_664_525 &+ 1_013_904_223
            pieces.append(rest.prefix(1 + Int(seed >> 24) % 37))
            rest = rest.dropFirst(1 + Int(seed >> 24) % 37)
        }
        return pieces
    }
}
