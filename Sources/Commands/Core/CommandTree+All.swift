// SPDX-License-Identifier: Apache-2.0

extension CommandTree {
    /// All commands. The specifications are values; what they do starts only when they are called.
    package static let commands: [Command] =
        [
            Checkpoint.createCommand, Checkpoint.listCommand, Checkpoint.removeCommand,
            ContainerAttach.command, ContainerCommit.command, ContainerCopy.command, ContainerCreate.command,
            ContainerDiff.command, ContainerExec.command, ContainerExport.command, ContainerInspect.command,
            ContainerKill.command, ContainerList.command, ContainerLogs.command, ContainerPause.command,
            ContainerPort.command, ContainerPrune.command, ContainerRemove.command, ContainerRename.command,
            ContainerRestart.command, ContainerRun.command, ContainerStart.command, ContainerStats.command,
            ContainerStop.command, ContainerTop.command, ContainerUnpause.command, ContainerUpdate.command,
            ContainerWait.command, ContextArchive.exportCommand, ContextArchive.importCommand, ContextCreate.command,
            ContextCreate.updateCommand, ContextInspect.command, ContextList.command, ContextUse.removeCommand,
            ContextUse.showCommand, ContextUse.useCommand, ImageHistory.command, ImageImport.command,
            ImageInspect.command,
            ImageList.command, ImageLoad.command, ImagePrune.command, ImagePull.command, ImagePush.command,
            ImageRemove.command, ImageSave.command, ImageTag.command, Inspect.command, Login.command, Logout.command,
            ManifestAnnotate.command, ManifestCreate.command, ManifestInspect.command, ManifestPush.command,
            ManifestRemove.command, NetworkConnect.command, NetworkCreate.command, NetworkDisconnect.command,
            NetworkInspect.command, NetworkList.command,
            NetworkPrune.command, NetworkRemove.command, Search.command, SystemDialStdio.command,
            SystemDiskUsage.command, SystemEvents.command,
            BuilderPrune.command, SystemInfo.command, SystemPrune.command, SystemVersion.command, VolumeCreate.command,
            VolumeInspect.command, VolumeList.command, VolumePrune.command, VolumeRemove.command,
        ] + Completion.commands + PlannedCommands.all

    /// The words that only lead to other commands.
    package static let groups: [CommandGroup] = [
        CommandGroup("builder", "Build images and clean up after builds"),
        CommandGroup("checkpoint", "Save and resume the state of running processes"),
        CommandGroup("completion", "Completion scripts for shells"),
        CommandGroup("config", "Configuration files for swarm services", isSwarm: true),
        CommandGroup("container", "Create, run, inspect and remove containers"),
        CommandGroup("context", "Named daemons that this program can talk to"),
        CommandGroup("image", "Fetch, list, tag, save and remove images"),
        CommandGroup("manifest", "Image manifests and lists of them, in registries"),
        CommandGroup("network", "Networks between containers"),
        CommandGroup("node", "Machines of a swarm", isSwarm: true),
        CommandGroup("plugin", "Extensions of the daemon"),
        CommandGroup("secret", "Secrets for swarm services", isSwarm: true),
        CommandGroup("service", "Services of a swarm", isSwarm: true),
        CommandGroup("stack", "Groups of swarm services from one file", isSwarm: true),
        CommandGroup("swarm", "Make, join and leave a swarm", isSwarm: true),
        CommandGroup("system", "The daemon as a whole: disk usage, events, settings"),
        CommandGroup("volume", "Data that outlives containers"),
    ]
}
