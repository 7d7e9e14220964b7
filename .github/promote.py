"""Write a release's digests into production's overlays: what runs is what these lines name.

Reads DIGESTS, a folder with a file for each image whose text is its digest, and IMAGES, the repository that holds
them; edits lines in place, so that comments and order stay. Overlays that build on production's name its images by
their repository, and get the new one too. Ends with a sentence, and without having written anything, if an image has
no digest or a digest has no place.
"""

import os
import re
import sys
from pathlib import Path

OVERLAYS = Path("knative/overlays")
ENTRY = re.compile(r"(  - name: (?P<name>\S+)\n    newName: )(?P<repository>\S+)/\S+(\n    digest: )\S+\n")
DIGEST = re.compile(r"sha256:[0-9a-f]{64}")


def main() -> None:
    repository = os.environ["IMAGES"]
    digests = {file.name: file.read_text().strip() for file in Path(os.environ["DIGESTS"]).iterdir()}
    if bad := sorted(name for name, digest in digests.items() if not DIGEST.fullmatch(digest)):
        sys.exit(f"not a digest: {', '.join(bad)}")
    texts = {file: file.read_text() for file in sorted(OVERLAYS.rglob("kustomization.yaml"))}
    entries = [entry for text in texts.values() for entry in ENTRY.finditer(text)]
    if {entry["name"] for entry in entries} != set(digests):
        sys.exit(f"overlays name {sorted(entry['name'] for entry in entries)}, the release has {sorted(digests)}")
    former = {entry["repository"] for entry in entries}

    def released(entry: re.Match[str]) -> str:
        return f"{entry[1]}{repository}/{entry['name']}{entry[4]}{digests[entry['name']]}\n"

    for file, text in texts.items():
        edited = ENTRY.sub(released, text)
        for name in former:
            edited = edited.replace(f"{name}/", f"{repository}/")
        file.write_text(edited)


if __name__ == "__main__":
    main()
