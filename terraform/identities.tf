# Who may do what. A pod's Kubernetes service account acts as the Google account of the same name and no other;
# nothing has a key. NGINX has no Google identity at all.

locals {
  namespace     = "nanoka"
  workload_pool = "${var.project_id}.svc.id.goog"
  principals    = "principal://iam.googleapis.com/projects/${var.project_number}/locations/global/workloadIdentityPools/${local.workload_pool}/subject/ns"

  # Kubernetes service accounts in the namespace nanoka, with what each is for.
  workloads = {
    login        = "Sign-in"
    send-message = "Answers"
    list-history = "History"
    purge        = "Deletes what is older than seven days"
    purge-caller = "Asks for a purge: its identity is all it has"
    migrate      = "Owns the schema"
  }
  database_users = [for name in keys(local.workloads) : name if name != "purge-caller"]

  database_roles = ["roles/cloudsql.client", "roles/cloudsql.instanceUser"]
}

resource "google_service_account" "workloads" {
  for_each = local.workloads

  account_id   = "${local.name}-${each.key}"
  display_name = "Nanoka: ${each.value}"

  depends_on = [google_project_service.services]
}

resource "google_service_account_iam_member" "workloads" {
  for_each = local.workloads

  service_account_id = google_service_account.workloads[each.key].name
  role               = "roles/iam.workloadIdentityUser"
  member             = "serviceAccount:${local.workload_pool}[${local.namespace}/${each.key}]"

  depends_on = [google_container_cluster.cluster] # the pool comes with the first cluster
}

resource "google_project_iam_member" "database" {
  for_each = {
    for pair in setproduct(local.database_users, local.database_roles) : "${pair[0]} ${basename(pair[1])}" => pair
  }

  project = var.project_id
  role    = each.value[1]
  member  = google_service_account.workloads[each.value[0]].member

  condition {
    title      = "nanoka's database"
    expression = "resource.name == 'projects/${var.project_id}/instances/${local.name}' && resource.service == 'sqladmin.googleapis.com'"
  }
}

resource "google_project_iam_member" "model" {
  project = var.project_id
  role    = "roles/aiplatform.user"
  member  = google_service_account.workloads["send-message"].member
}

# cert-manager proves that the domain is ours by a record in its zone, and may touch no other.
resource "google_dns_managed_zone_iam_member" "cert_manager" {
  managed_zone = google_dns_managed_zone.zone.name
  role         = "roles/dns.admin"
  member       = "${local.principals}/cert-manager/sa/cert-manager"

  depends_on = [google_container_cluster.cluster]
}

# Nodes write logs and metrics and pull our images.
resource "google_service_account" "nodes" {
  account_id   = "${local.name}-nodes"
  display_name = "Nanoka: nodes"

  depends_on = [google_project_service.services]
}

resource "google_project_iam_member" "nodes" {
  project = var.project_id
  role    = "roles/container.defaultNodeServiceAccount"
  member  = google_service_account.nodes.member
}

resource "google_artifact_registry_repository_iam_member" "nodes" {
  repository = google_artifact_registry_repository.images.name
  location   = var.region
  role       = "roles/artifactregistry.reader"
  member     = google_service_account.nodes.member
}
