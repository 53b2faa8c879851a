// SPDX-License-Identifier: Apache-2.0
// Registry: client of the OCI distribution API (distribution-spec).
//
//   RegistryClient ── makes a session for each transfer
//     ├─ RegistrySession ── resolve, manifest, blob, push: tries the endpoints of a registry in order
//     │    └─ BlobUpload ── one blob on its way up, taken up again where it broke off
//     ├─ RegistryEndpoint ── where a registry may be: mirrors, https, and http for insecure ones
//     ├─ RegistryAuthorizer ── answers 401 challenges; credentials stay with the registry they belong to
//     │    └─ TokenCache ── Bearer tokens until they expire
//     └─ RegistryTransport ── HTTP clients by TLS settings; follows redirects without carrying credentials along
