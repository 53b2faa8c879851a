// SPDX-License-Identifier: Apache-2.0
package import Engine
import HTTPServer

extension Router {
    /// All routes of the Engine API.
    package static func engine(_ engine: Engine) -> Router {
        var router = Router()
        SystemRoutes(system: engine.system).register(on: &router)
        EventRoutes(events: engine.events).register(on: &router)
        RegistryRoutes(registries: engine.registries).register(on: &router)
        ImageTransferRoutes(images: engine.images, registries: engine.registries).register(on: &router)
        ImageRoutes(images: engine.images).register(on: &router)
        ContainerRoutes(containers: engine.containers).register(on: &router)
        ExecRoutes(execs: engine.execs).register(on: &router)
        NetworkRoutes(networks: engine.networks, containers: engine.containers, events: engine.events)
            .register(on: &router)
        VolumeRoutes(volumes: engine.volumes, events: engine.events).register(on: &router)
        DiskUsageRoutes(engine: engine).register(on: &router)
        UnimplementedRoutes().register(on: &router)
        return router
    }
}
