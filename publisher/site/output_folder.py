"""Where a build may write: never where it could remove files that are not its own."""

from publisher.errors import PublisherError
from publisher.site.job import CACHE, Job, index_path
from publisher.site.scan import ISSUES, MEDIA, TEMPLATES
from publisher.site.write import OWN_FOLDERS

# In every site of ours, and hardly in another one.
_SIGN = "feeds.opml"


def require_output(job: Job) -> None:
    """Raise PublisherError where the output folder is not one for a site alone.

    A build removes what does not belong to the site from the site's folders, which have names that
    others use as well: `media`, `archive`.
    """
    output, folder = job.output.resolve(), job.folder.resolve()
    sources = [folder / name for name in (ISSUES, MEDIA, TEMPLATES, CACHE)]
    if folder.is_relative_to(output) or any(output.is_relative_to(path) for path in sources):
        raise PublisherError(
            f"the site cannot be built into {output}: the publication itself is there. Name a"
            " folder for the site alone, such as public"
        )
    if index_path(job).exists() or (output / _SIGN).exists():
        return
    for name in OWN_FOLDERS:
        foreign = output / name
        if foreign.is_dir() and any(foreign.iterdir()):
            raise PublisherError(
                f"{foreign} has files that are not from here, and a build would remove them. Name"
                " an empty folder, or move them away"
            )
