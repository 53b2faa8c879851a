# SPDX-License-Identifier: Apache-2.0
"""Archives and images that tests make up."""
import hashlib
import io
import json
import os
import tarfile

CONFIG, LAYER, MANIFEST, INDEX = (
    f"application/vnd.oci.image.{kind}" for kind in ("config.v1+json", "layer.v1.tar", "manifest.v1+json", "index.v1+json"))


def digest_of(data):
    return "sha256:" + hashlib.sha256(data).hexdigest()


def tar_of(files, mode=0o644):
    """A tar of {name: content}."""
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w", format=tarfile.PAX_FORMAT) as archive:
        for name, content in files.items():
            info = tarfile.TarInfo(name)
            info.size, info.mode = len(content), mode
            archive.addfile(info, io.BytesIO(content))
    return stream.getvalue()


def docker_archive(name, layer):
    """What `docker save` made before version 25 of an image with this one layer."""
    config = {"architecture": "amd64", "os": "linux", "config": {"Cmd": ["/random"]}, "history": [{"created_by": "test"}],
              "rootfs": {"type": "layers", "diff_ids": [digest_of(layer)]}}
    manifest = [{"Config": "config.json", "RepoTags": [name], "Layers": ["layer.tar"]}]
    return tar_of({"config.json": json.dumps(config).encode(), "layer.tar": layer, "manifest.json": json.dumps(manifest).encode()})


def random_archive(name, size):
    """The archive of an image that exists nowhere else: one file of `size` random bytes."""
    return docker_archive(name, tar_of({"random": os.urandom(size)}))


class Layout:
    """An OCI image layout that becomes an archive."""

    def __init__(self):
        self.files = {"oci-layout": b'{"imageLayoutVersion": "1.0.0"}'}

    def blob(self, data, media_type, **more):
        """The descriptor of a blob, which may be given as what becomes JSON."""
        data = data if isinstance(data, bytes) else json.dumps(data).encode()
        digest = digest_of(data)
        self.files[f"blobs/{digest.replace(':', '/')}"] = data
        return {"mediaType": media_type, "digest": digest, "size": len(data), **more}

    def image(self, layer, config, **more):
        """The descriptor of an image with one layer."""
        layer = self.blob(layer, LAYER)
        config = self.blob({**config, "rootfs": {"type": "layers", "diff_ids": [layer["digest"]]}}, CONFIG)
        return self.blob({"schemaVersion": 2, "mediaType": MANIFEST, "config": config, "layers": [layer]}, MANIFEST, **more)

    def index(self, descriptors):
        return self.blob({"schemaVersion": 2, "mediaType": INDEX, "manifests": descriptors}, INDEX)

    def write(self, path, *entries):
        """`entries`: descriptor and annotations of each image."""
        index = {"schemaVersion": 2, "manifests": [{**entry, "annotations": annotations} for entry, annotations in entries]}
        path.write_bytes(tar_of({**self.files, "index.json": json.dumps(index).encode()}))
