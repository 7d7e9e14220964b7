# Images: one repository, a name for each function and one for the web. Pods name digests, so that no tag decides what
# runs; tags that nobody may move could not be deleted either, and with them no image that has one.

resource "google_artifact_registry_repository" "images" {
  repository_id = local.name
  location      = var.region
  format        = "DOCKER"
  description   = "Nanoka's images"

  # A release makes about four versions of an image: index, image, its description, signature. What is older than 90
  # days goes, but for the last fifty: a dozen releases to roll back to.
  cleanup_policies {
    id     = "delete-old"
    action = "DELETE"
    condition {
      tag_state  = "ANY"
      older_than = "90d"
    }
  }
  cleanup_policies {
    id     = "keep-last"
    action = "KEEP"
    most_recent_versions {
      keep_count = 50
    }
  }

  depends_on = [google_project_service.services]
}
