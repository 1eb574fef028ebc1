# SPDX-License-Identifier: GPL-2.0-or-later
"""Finds the image for a kernel: a name, or a kernel file that somebody built, from a folder of
images (rootfs-builder makes build/image) or from one bundle file."""

from __future__ import annotations

import os
import re
import struct
from typing import Any, Dict, List, NamedTuple, Optional, Tuple

from launcher import cache, plan
from launcher.arch import ARCHES
from launcher.errors import InfraError, UsageError


class Image(NamedTuple):
    """A kernel and the initrds that go with it."""

    name: str                     # as the user said it: 6.12, or the file's name
    arch: str
    kernel: str
    initrd: str
    parts: Dict[str, str]         # more of the initrd, for the subject of that name
    digest: str                   # of the image that the initrd is from
    checked: Dict[str, str]       # file -> SHA-256 that the manifest promises
    tests: str                    # the file that lists the initrd's tests; "" when there is none


def default_folder() -> str:
    """build/image of the tree that this launcher stands in."""
    tree = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
    return os.path.join(os.environ.get("BULKHEAD_BUILD") or os.path.join(tree, "build"), "image")


def _unbundled(file: str) -> str:
    """Unpacks a bundle into the cache, once, and returns that folder."""
    import tarfile
    name = os.path.join("bundles", cache.file_digest(file)[:32])
    if not os.path.isdir(cache.path(name)):
        try:
            with cache.replacing(name) as folder, tarfile.open(file) as bundle:
                for member in bundle.getmembers():
                    if not re.fullmatch(r"[\w.+-]+/[\w.+-]+", member.name) or ".." in member.name:
                        raise InfraError(f"cannot use bundle \"{file}\": it holds {member.name!r}")
                    bundle.extract(member, folder)
        except (OSError, EOFError, tarfile.TarError) as error:
            raise InfraError(f"cannot unpack bundle \"{file}\": {error}") from None
    return cache.path(name)


def _manifest(folder: str) -> Optional[Dict[str, Any]]:
    manifest = cache.read_json(os.path.join(folder, "manifest.json"))
    return manifest if isinstance(manifest, dict) else None


def _load(folder: str) -> Optional[Image]:
    """The image in FOLDER, if there is one."""
    manifest = _manifest(folder)
    kernel, initrd = os.path.join(folder, "kernel"), os.path.join(folder, "initrd.img")
    if manifest is None or not os.path.exists(initrd):
        return None
    name = os.path.basename(folder)
    about = manifest.get("kernel", {})
    checked = {kernel: about["sha256"]} if "sha256" in about else {}
    parts = {}
    for part, facts in manifest.get("parts", {}).items():
        file = os.path.join(folder, facts["file"])
        checked[file] = facts["sha256"]
        if part != "core":
            parts[part] = file
    tests = manifest.get("tests", {})
    file = os.path.join(folder, tests["file"]) if tests else ""
    if file:
        checked[file] = tests["sha256"]
    return Image(about.get("name", name), manifest.get("arch", "x86_64"), kernel, initrd, parts,
                 manifest.get("digest", ""), checked, file)


def _version(image: Image) -> List[int]:
    return [int(number) for number in re.findall(r"\d+", image.name)]


class Library:
    """All images below one place. `place` is a folder of images, one image, or a bundle."""

    def __init__(self, place: str = "") -> None:
        self.place = place or default_folder()
        if not os.path.exists(self.place):
            raise InfraError(f"cannot find images in \"{self.place}\" (build them: make image, "
                             "or name some with --image)")
        top = _unbundled(self.place) if os.path.isfile(self.place) else self.place
        folders = [top]
        for _ in range(2):  # ARCH/KERNEL, KERNEL, or the folder itself
            folders += [os.path.join(folder, name) for folder in folders
                        if not os.path.exists(os.path.join(folder, "manifest.json"))
                        for name in sorted(os.listdir(folder))
                        if os.path.isdir(os.path.join(folder, name))]
        found = {folder: _load(folder) for folder in folders}
        self.images = sorted((image for image in found.values() if image), key=_version)

    def select(self, arch: str, kernel: str) -> Image:
        """The image of that kernel: a name, a file, or "" for the newest."""
        mine = [image for image in self.images if image.arch == arch]
        if kernel and os.path.isfile(kernel):
            return self._own_kernel(arch, kernel, mine)
        if any(char in kernel for char in "/\\"):
            raise UsageError(f"cannot find kernel \"{kernel}\": no such file")
        chosen = [image for image in mine if not kernel or image.name == kernel]
        if not chosen:
            names = ", ".join(image.name for image in mine) or "none"
            raise InfraError(f"cannot find an image of kernel \"{kernel or 'any'}\" for {arch} in "
                             f"\"{self.place}\" (there: {names}; make image KERNEL={kernel} "
                             f"ARCH={arch} builds one)")
        return chosen[-1]

    def _own_kernel(self, arch: str, file: str, images: List[Image]) -> Image:
        """FILE with the image built for it, or else with the newest one's initrd."""
        if not images:
            raise InfraError(f"cannot find an initrd for \"{file}\": no image for {arch} in "
                             f"\"{self.place}\" (make image ARCH={arch} builds one)")
        digest = cache.file_digest(file)
        same = [image for image in images if image.checked.get(image.kernel) == digest]
        base = (same or images)[-1]
        checked = {path: value for path, value in base.checked.items() if path != base.kernel}
        return base._replace(name=os.path.basename(file), kernel=os.path.abspath(file),
                             checked=checked)


def kernel_arch(file: str) -> Tuple[str, int]:
    """Architecture of a kernel file ("" when it is no bootable kernel), and the size that its
    header promises (0 when it does not say)."""
    with open(file, "rb") as source:
        head = source.read(0x264)
    if len(head) >= 0x1f8 and head[0x202:0x206] == b"HdrS":
        sectors = head[0x1f1] or 4
        return "x86_64", (sectors + 1) * 512 + struct.unpack_from("<I", head, 0x1f4)[0] * 16
    if len(head) >= 64 and (head[0x38:0x3c] == b"ARM\x64" or head[4:8] == b"zimg"):
        return "aarch64", 0
    return "", 0


def verify(image: Image, part: str = "") -> Dict[str, str]:
    """Digests of all files of IMAGE that a run with this part needs. Raises InfraError when one
    is missing, damaged or of the wrong kind."""
    files = {"kernel": image.kernel, "initrd": image.initrd}
    if part in image.parts:
        files["part"] = image.parts[part]
    digests = {}
    for what, file in files.items():
        try:
            digests[what] = cache.file_digest(file)
        except OSError as error:
            raise InfraError(f"cannot read {what} \"{file}\": {error.strerror}") from None
        if image.checked.get(file, digests[what]) != digests[what]:
            raise InfraError(f"cannot use {what} \"{file}\": it is not what its manifest.json says "
                             "(make image builds it again)")
    arch, size = kernel_arch(image.kernel)
    have = os.stat(image.kernel).st_size
    if arch != image.arch:
        what = f"a kernel for {arch}" if arch else "no bootable kernel image"
        raise InfraError(f"cannot boot \"{image.kernel}\": it is {what}, not one for {image.arch}")
    if have < size:
        raise InfraError(f"cannot boot \"{image.kernel}\": it is cut off, "
                         f"{have} of {size} bytes")
    return digests


def known_tests(image: Image) -> List[plan.Planned]:
    """The tests of IMAGE as its builder listed them; none when a guest has to be asked."""
    try:
        if image.tests and cache.file_digest(image.tests) == image.checked[image.tests]:
            return plan.read_known(image.tests)
    except OSError:
        pass  # an image that somebody copied without it
    return []


def host_arch(machine: str) -> str:
    """The guest architecture of a host that calls itself MACHINE."""
    for arch in ARCHES.values():
        if machine in arch.machine_names:
            return arch.name
    return "x86_64"
