// SPDX-License-Identifier: Apache-2.0

/// The status codes of gRPC, which ttrpc shares.
package enum RPCCode: Int32, Sendable, Equatable {
    case ok = 0
    case cancelled = 1
    case unknown = 2
    case invalidArgument = 3
    case deadlineExceeded = 4
    case notFound = 5
    case alreadyExists = 6
    case permissionDenied = 7
    case resourceExhausted = 8
    case failedPrecondition = 9
    case aborted = 10
    case outOfRange = 11
    case unimplemented = 12
    case `internal` = 13
    case unavailable = 14
    case dataLoss = 15
    case unauthenticated = 16
}

/// The outcome of a call: google.rpc.Status without its details.
package struct RPCStatus: Error, Sendable, Equatable {
    package var code: RPCCode
    package var message: String

    package init(_ code: RPCCode, _ message: String) {
        self.code = code
        self.message = message
    }

    package init(decoding bytes: ArraySlice<UInt8>) throws(ProtobufError) {
        self.init(.ok, "")
        var reader = ProtobufReader(bytes)
        while let field = try reader.next() {
            switch field.number {
            case 1: code = RPCCode(rawValue: try field.int32()) ?? .unknown
            case 2: message = try field.string()
            default: break
            }
        }
    }

    func encode(into writer: inout ProtobufWriter) {
        writer.int32(1, code.rawValue)
        writer.string(2, message)
    }
}

/// One entry of a call's metadata, as HTTP headers are for gRPC.
package struct RPCMetadata: Sendable, Equatable {
    package var key: String
    package var value: String

    package init(_ key: String, _ value: String) {
        self.key = key
        self.value = value
    }

    init(decoding bytes: ArraySlice<UInt8>) throws(ProtobufError) {
        self.init("", "")
        var reader = ProtobufReader(bytes)
        while let field = try reader.next() {
            switch field.number {
            case 1: key = try field.string()
            case 2: value = try field.string()
            default: break
            }
        }
    }
}

/// The payload of a request frame: which method is called, with what.
package struct RPCRequest: Sendable, Equatable {
    package var service = ""
    package var method = ""
    package var payload: [UInt8] = []
    package var timeoutNanoseconds: Int64 = 0
    package var metadata: [RPCMetadata] = []

    package init(
        service: String, method: String, payload: [UInt8], timeoutNanoseconds: Int64 = 0, metadata: [RPCMetadata] = []
    ) {
        self.service = service
        self.method = method
        self.payload = payload
        self.timeoutNanoseconds = timeoutNanoseconds
        self.metadata = metadata
    }

    package init(decoding bytes: [UInt8]) throws(ProtobufError) {
        var reader = ProtobufReader(bytes)
        while let field = try reader.next() {
            switch field.number {
            case 1: service = try field.string()
            case 2: method = try field.string()
            case 3: payload = try field.bytes()
            case 4: timeoutNanoseconds = try field.int64()
            case 5: metadata.append(try RPCMetadata(decoding: try field.slice()))
            default: break
            }
        }
    }

    package func encoded() -> [UInt8] {
        var writer = ProtobufWriter()
        writer.string(1, service)
        writer.string(2, method)
        writer.bytes(3, payload)
        writer.int64(4, timeoutNanoseconds)
        for entry in metadata {
            writer.message(5) { message in
                message.string(1, entry.key)
                message.string(2, entry.value)
            }
        }
        return writer.bytes
    }

    /// The value of the first metadata entry with this key.
    package func metadata(_ key: String) -> String? {
        for entry in metadata where entry.key == key { return entry.value }
        return nil
    }
}

/// The payload of a response frame: a message, or the status of a failure.
package struct RPCResponse: Sendable, Equatable {
    package var status: RPCStatus?
    package var payload: [UInt8] = []

    package init(payload: [UInt8]) { self.payload = payload }
    package init(failure: RPCStatus) { status = failure }

    package init(decoding bytes: [UInt8]) throws(ProtobufError) {
        var reader = ProtobufReader(bytes)
        while let field = try reader.next() {
            switch field.number {
            case 1: status = try RPCStatus(decoding: try field.slice())
            case 2: payload = try field.bytes()
            default: break
            }
        }
    }

    package func encoded() -> [UInt8] {
        var writer = ProtobufWriter()
        if let status { writer.message(1) { status.encode(into: &$0) } }
        writer.bytes(2, payload)
        return writer.bytes
    }

    /// The failure, if the call failed; a status of `ok` is none.
    package var failure: RPCStatus? {
        guard let status, status.code != .ok else { return nil }
        return status
    }
}
