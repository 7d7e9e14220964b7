# What every other file stands on: the project's APIs.

locals {
  # The one name. knative/ and argocd/ say it too, so it is a fact here and no variable.
  name = "nanoka"

  services = [
    "aiplatform",           # the chat model
    "artifactregistry",     # images
    "billingbudgets",       # the budget
    "cloudresourcemanager", # roles
    "compute",              # network, address
    "container",            # the cluster
    "containerfilesystem",  # image streaming: a cold pod starts before its image is here whole
    "dns",                  # the zone, and cert-manager's proof that it is ours
    "iam",                  # service accounts
    "iamcredentials",       # pods and workflows acting as them
    "logging",
    "monitoring",
    "secretmanager",
    "servicenetworking", # the database's private address
    "sqladmin",          # the database, and the connector's certificates
    "sts",               # federated identities
  ]
}

resource "google_project_service" "services" {
  for_each = toset(local.services)

  service            = "${each.key}.googleapis.com"
  disable_on_destroy = false
}
