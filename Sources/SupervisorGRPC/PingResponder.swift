// SPDX-License-Identifier: Apache-2.0
package import NIOCore

/// Answers a client's HTTP/2 pings before the HTTP/2 handler sees them.
///
/// Go's clients measure the connection with a ping for nearly every answer that they get. The HTTP/2 handler takes more
/// than 200 of them in 30 seconds for an attack and ends the connection, and gRPC offers no setting for it.
///
/// Frames: RFC 9113 §4.1 (nine bytes before each payload), §6.7 (ping), §3.4 (what a client sends first).
package final class PingResponder: ChannelInboundHandler {
    package typealias InboundIn = ByteBuffer
    package typealias InboundOut = ByteBuffer
    package typealias OutboundOut = ByteBuffer

    private static let frameHeader = 9
    private static let pingType: UInt8 = 6
    private static let pingPayload = 8
    private static let acknowledged: UInt8 = 1

    /// Bytes that go on unread: at first the client's preface, then the rest of a frame.
    private var passing = 24
    /// The beginning of a frame, too short to be understood.
    private var incomplete: ByteBuffer?

    package init() {}

    package func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        var bytes = unwrapInboundIn(data)
        if var earlier = incomplete {
            incomplete = nil
            earlier.writeBuffer(&bytes)
            bytes = earlier
        }
        var end = bytes.readerIndex  // up to here the bytes go on
        while end < bytes.writerIndex {
            let passed = min(passing, bytes.writerIndex - end)
            passing -= passed
            end += passed
            guard let header = FrameHeader(bytes, at: end) else { break }
            guard header.isPing else {
                passing = Self.frameHeader + header.length
                continue
            }
            let whole = Self.frameHeader + Self.pingPayload
            guard let frame = bytes.getSlice(at: end, length: whole) else { break }
            forward(&bytes, to: end, context)
            bytes.moveReaderIndex(forwardBy: whole)
            end = bytes.readerIndex
            guard acknowledge(frame, context) else { return }
        }
        forward(&bytes, to: end, context)
        if bytes.readableBytes > 0 { incomplete = bytes }
    }

    private func forward(_ bytes: inout ByteBuffer, to end: Int, _ context: ChannelHandlerContext) {
        guard end > bytes.readerIndex, let slice = bytes.readSlice(length: end - bytes.readerIndex) else { return }
        context.fireChannelRead(wrapInboundOut(slice))
    }

    /// False if the client sends pings and reads no answers: the connection ends, as nothing may pile up here.
    private func acknowledge(_ ping: ByteBuffer, _ context: ChannelHandlerContext) -> Bool {
        guard context.channel.isWritable else {
            context.close(promise: nil)
            return false
        }
        var answer = ping
        answer.setInteger(Self.acknowledged, at: answer.readerIndex + 4)
        context.writeAndFlush(wrapOutboundOut(answer), promise: nil)
        return true
    }

    private struct FrameHeader {
        var length: Int
        var isPing: Bool

        /// nil if not all of it has arrived.
        init?(_ bytes: ByteBuffer, at index: Int) {
            guard let start = bytes.getInteger(at: index, as: UInt64.self), index + frameHeader <= bytes.writerIndex
            else { return nil }
            length = Int(start >> 40)
            let type = UInt8(truncatingIfNeeded: start >> 32)
            let flags = UInt8(truncatingIfNeeded: start >> 24)
            isPing = type == pingType && flags & acknowledged == 0 && length == pingPayload
        }
    }
}
