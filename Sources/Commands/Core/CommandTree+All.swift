// SPDX-License-Identifier: Apache-2.0

extension CommandTree {
    /// All commands. The specifications are values; what they do starts only when they are called.
    package static let commands: [Command] =
        [
            ContainerAttach.command, ContainerCommit.command, ContainerCopy.command, ContainerCreate.command,
            ContainerDiff.command, ContainerExec.command, ContainerExport.command, ContainerInspect.command,
            ContainerKill.command, ContainerList.command, ContainerLogs.command, ContainerPause.command,
            ContainerPort.command, ContainerPrune.command, ContainerRemove.command, ContainerRename.command,
            ContainerRestart.command, ContainerRun.command, ContainerStart.command, ContainerStats.command,
            ContainerStop.command, ContainerTop.command, ContainerUnpause.command, ContainerUpdate.command,
            ContainerWait.command, ImageHistory.command, ImageImport.command, ImageInspect.command,
            ImageList.command, ImageLoad.command, ImagePrune.command, ImagePull.command, ImagePush.command,
            ImageRemove.command, ImageSave.command, ImageTag.command, Inspect.command, Login.command, Logout.command,
            NetworkConnect.command,
            NetworkCreate.command, NetworkDisconnect.command, NetworkInspect.command, NetworkList.command,
            NetworkPrune.command, NetworkRemove.command, Search.command, SystemDiskUsage.command, SystemEvents.command,
            SystemInfo.command, SystemPrune.command, SystemVersion.command, VolumeCreate.command,
            VolumeInspect.command, VolumeList.command, VolumePrune.command, VolumeRemove.command,
        ] + PlannedCommands.all

    /// The words that only lead to other commands.
    package static let groups: [CommandGroup] = [
        CommandGroup("builder", "Manage builds"),
        CommandGroup("checkpoint", "Manage checkpoints"),
        CommandGroup("config", "Manage Swarm configs", isSwarm: true),
        CommandGroup("container", "Manage containers"),
        CommandGroup("context", "Manage contexts"),
        CommandGroup("image", "Manage images"),
        CommandGroup("manifest", "The **docker manifest** command has subcommands for managing image manifests and"),
        CommandGroup("network", "Manage networks"),
        CommandGroup("node", "Manage Swarm nodes", isSwarm: true),
        CommandGroup("plugin", "Manage plugins"),
        CommandGroup("secret", "Manage Swarm secrets", isSwarm: true),
        CommandGroup("service", "Manage Swarm services", isSwarm: true),
        CommandGroup("stack", "Manage Swarm stacks", isSwarm: true),
        CommandGroup("swarm", "Manage Swarm", isSwarm: true),
        CommandGroup("system", "Manage swrun"),
        CommandGroup("volume", "Manage volumes"),
    ]
}
