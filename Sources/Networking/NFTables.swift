// SPDX-License-Identifier: Apache-2.0
import CNFTables

/// libnftables(3): runs nft(8) commands in this process. Each call is one transaction: all of it or nothing.
/// Not thread-safe; the service's thread owns it. It acts on the network namespace of the thread that made it.
final class NFTables {
    private let context: OpaquePointer

    init() throws(NetworkError) {
        guard let context = nft_ctx_new(UInt32(NFT_CTX_DEFAULT)) else {
            throw NetworkError(.internal, "nftables: no context (out of memory)")
        }
        nft_ctx_buffer_output(context)
        nft_ctx_buffer_error(context)
        self.context = context
    }

    deinit { nft_ctx_free(context) }

    /// Runs the commands and returns what they print; the library's own words are in the error.
    func run(_ commands: String) throws(NetworkError) -> String {
        let code = nft_run_cmd_from_buffer(context, commands)
        let output = text(nft_ctx_get_output_buffer(context))
        let errors = text(nft_ctx_get_error_buffer(context))
        guard code == 0 else {
            let reason = errors.split(whereSeparator: \.isNewline).first.map(String.init) ?? "unknown error"
            throw NetworkError(.internal, "nftables: \(reason)")
        }
        return output
    }

    private func text(_ pointer: UnsafePointer<CChar>?) -> String { pointer.map { String(cString: $0) } ?? "" }
}
