// SPDX-License-Identifier: Apache-2.0

/// Short names for the messages that every part of the daemons handles. `Generated/` holds all of them, made by
/// scripts/generate-protos from protos/.
package typealias ContainerMessage = Containerd_Services_Containers_V1_Container
package typealias ImageMessage = Containerd_Services_Images_V1_Image
package typealias DescriptorMessage = Containerd_Types_Descriptor
package typealias MountMessage = Containerd_Types_Mount
package typealias EventEnvelope = Containerd_Types_Envelope
package typealias TaskProcess = Containerd_V1_Types_Process
package typealias TransferProgress = Containerd_Types_Transfer_Progress
