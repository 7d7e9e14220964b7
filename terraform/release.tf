# What GitHub's workflows may do, without a key: their short-lived OpenID tokens are exchanged for ours. Pushing
# images is for the release branch alone; planning reads, and any branch of the repository may do it.

locals {
  github = var.github_repository == null ? {} : { this = var.github_repository }
}

resource "google_iam_workload_identity_pool" "github" {
  for_each = local.github

  workload_identity_pool_id = "github"
  display_name              = "GitHub"

  depends_on = [google_project_service.services]
}

resource "google_iam_workload_identity_pool_provider" "github" {
  for_each = local.github

  workload_identity_pool_id          = google_iam_workload_identity_pool.github["this"].workload_identity_pool_id
  workload_identity_pool_provider_id = "actions"
  display_name                       = "GitHub Actions"

  oidc {
    issuer_uri = "https://token.actions.githubusercontent.com"
  }

  # Every GitHub repository in the world gets tokens of this issuer: without the condition they would all be let in.
  attribute_condition = "assertion.repository_id == '${each.value.id}'"
  attribute_mapping = {
    "google.subject"       = "assertion.sub"
    "attribute.repository" = "assertion.repository_id"
    "attribute.ref"        = "assertion.ref"
  }
}

resource "google_service_account" "release" {
  for_each = local.github

  account_id   = "${local.name}-release"
  display_name = "Nanoka: pushes images"

  depends_on = [google_project_service.services]
}

resource "google_service_account_iam_member" "release" {
  for_each = local.github

  service_account_id = google_service_account.release["this"].name
  role               = "roles/iam.workloadIdentityUser"
  member             = "principalSet://iam.googleapis.com/${google_iam_workload_identity_pool.github["this"].name}/attribute.ref/refs/heads/${each.value.branch}"
}

resource "google_artifact_registry_repository_iam_member" "release" {
  for_each = local.github

  repository = google_artifact_registry_repository.images.name
  location   = var.region
  role       = "roles/artifactregistry.writer"
  member     = google_service_account.release["this"].member
}

resource "google_service_account" "plan" {
  for_each = local.github

  account_id   = "${local.name}-plan"
  display_name = "Nanoka: plans"

  depends_on = [google_project_service.services]
}

resource "google_service_account_iam_member" "plan" {
  for_each = local.github

  service_account_id = google_service_account.plan["this"].name
  role               = "roles/iam.workloadIdentityUser"
  member             = "principalSet://iam.googleapis.com/${google_iam_workload_identity_pool.github["this"].name}/attribute.repository/${each.value.id}"
}

resource "google_project_iam_member" "plan" {
  for_each = var.github_repository == null ? [] : toset(["roles/viewer", "roles/iam.securityReviewer", "roles/serviceusage.serviceUsageConsumer"])

  project = var.project_id
  role    = each.key
  member  = google_service_account.plan["this"].member
}

resource "google_storage_bucket_iam_member" "plan" {
  for_each = local.github

  bucket = each.value.state_bucket
  role   = "roles/storage.objectViewer"
  member = google_service_account.plan["this"].member
}

resource "google_billing_account_iam_member" "plan" {
  for_each = var.budget == null ? {} : local.github

  billing_account_id = var.budget.billing_account
  role               = "roles/billing.viewer"
  member             = google_service_account.plan["this"].member
}
