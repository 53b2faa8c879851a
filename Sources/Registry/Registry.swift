// SPDX-License-Identifier: Apache-2.0
// Registry: client of the OCI distribution API (distribution-spec), for pulls.
//
//   RegistryClient ── resolve, manifest, blob: tries the endpoints of a registry in order
//     ├─ RegistryEndpoint ── where a registry may be: mirrors, https, and http for insecure ones
//     ├─ RegistryAuthorizer ── answers 401 challenges; credentials stay with the registry they belong to
//     └─ RegistryTransport ── HTTP clients by TLS settings; follows redirects without carrying credentials along
