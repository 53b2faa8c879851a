// SPDX-License-Identifier: Apache-2.0
import Glibc

/// The calls of OpenSSL 3 that a client needs, found at run time: a program that talks to a unix socket, as nearly all
/// do, neither needs the library nor pays for loading it.
struct TLSLibrary {
    typealias Object = OpaquePointer
    typealias Text = UnsafePointer<CChar>

    let method: @convention(c) () -> Object?
    let newContext: @convention(c) (Object?) -> Object?
    let freeContext: @convention(c) (Object?) -> Void
    let controlContext: @convention(c) (Object?, CInt, CLong, UnsafeMutableRawPointer?) -> CLong
    let loadAuthorities: @convention(c) (Object?, Text?, Text?) -> CInt
    let useStandardAuthorities: @convention(c) (Object?) -> CInt
    let useCertificate: @convention(c) (Object?, Text) -> CInt
    let useKey: @convention(c) (Object?, Text, CInt) -> CInt
    let setVerify: @convention(c) (Object?, CInt, UnsafeRawPointer?) -> Void
    let new: @convention(c) (Object?) -> Object?
    let free: @convention(c) (Object?) -> Void
    let control: @convention(c) (Object?, CInt, CLong, UnsafeMutableRawPointer?) -> CLong
    let setDescriptor: @convention(c) (Object?, CInt) -> CInt
    let setHost: @convention(c) (Object?, Text) -> CInt
    let parameters: @convention(c) (Object?) -> Object?
    let setAddress: @convention(c) (Object?, Text) -> CInt
    let connect: @convention(c) (Object?) -> CInt
    let read: @convention(c) (Object?, UnsafeMutableRawPointer, CInt) -> CInt
    let write: @convention(c) (Object?, UnsafeRawPointer, CInt) -> CInt
    let shutdown: @convention(c) (Object?) -> CInt
    let error: @convention(c) (Object?, CInt) -> CInt
    let pending: @convention(c) (Object?) -> CInt
    let verifyResult: @convention(c) (Object?) -> CLong
    let verifyText: @convention(c) (CLong) -> Text?
    let takeError: @convention(c) () -> UInt
    let errorText: @convention(c) (UInt) -> Text?

    init() throws(ClientError) {
        guard let ssl = dlopen("libssl.so.3", RTLD_NOW | RTLD_LOCAL),
            let crypto = dlopen("libcrypto.so.3", RTLD_NOW | RTLD_LOCAL)
        else { throw .configuration("TLS needs OpenSSL 3: install libssl3") }
        method = try find(ssl, "TLS_client_method")
        newContext = try find(ssl, "SSL_CTX_new")
        freeContext = try find(ssl, "SSL_CTX_free")
        controlContext = try find(ssl, "SSL_CTX_ctrl")
        loadAuthorities = try find(ssl, "SSL_CTX_load_verify_locations")
        useStandardAuthorities = try find(ssl, "SSL_CTX_set_default_verify_paths")
        useCertificate = try find(ssl, "SSL_CTX_use_certificate_chain_file")
        useKey = try find(ssl, "SSL_CTX_use_PrivateKey_file")
        setVerify = try find(ssl, "SSL_CTX_set_verify")
        new = try find(ssl, "SSL_new")
        free = try find(ssl, "SSL_free")
        control = try find(ssl, "SSL_ctrl")
        setDescriptor = try find(ssl, "SSL_set_fd")
        setHost = try find(ssl, "SSL_set1_host")
        parameters = try find(ssl, "SSL_get0_param")
        setAddress = try find(crypto, "X509_VERIFY_PARAM_set1_ip_asc")
        connect = try find(ssl, "SSL_connect")
        read = try find(ssl, "SSL_read")
        write = try find(ssl, "SSL_write")
        shutdown = try find(ssl, "SSL_shutdown")
        error = try find(ssl, "SSL_get_error")
        pending = try find(ssl, "SSL_pending")
        verifyResult = try find(ssl, "SSL_get_verify_result")
        verifyText = try find(crypto, "X509_verify_cert_error_string")
        takeError = try find(crypto, "ERR_get_error")
        errorText = try find(crypto, "ERR_reason_error_string")
    }

    /// What the library's error queue says; the queue is empty afterwards.
    func lastError() -> String {
        var text = ""
        while case let code = takeError(), code != 0 {
            if text.isEmpty, let reason = errorText(code) { text = String(cString: reason) }
        }
        return text.isEmpty ? "unknown error" : text
    }
}

/// A function of a library, as the type that is asked for.
private func find<Function>(_ library: UnsafeMutableRawPointer, _ name: String) throws(ClientError) -> Function {
    guard let address = dlsym(library, name) else { throw .configuration("TLS needs OpenSSL 3: it has no " + name) }
    return unsafeBitCast(address, to: Function.self)
}
