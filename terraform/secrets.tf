# Secrets are empty boxes here: their values are put in with gcloud and are never in a state, a plan or a variable.

locals {
  # The Kubernetes Secret `oidc-client` is made of both.
  secrets = toset(["oidc-client-id", "oidc-client-secret"])
}

resource "google_secret_manager_secret" "secrets" {
  for_each = local.secrets

  secret_id = "${local.name}-${each.key}"

  replication {
    user_managed {
      replicas {
        location = var.region
      }
    }
  }

  depends_on = [google_project_service.services]
}

# Read by an account that runs no pod: GKE's sync copies the values into the namespace, and the functions, which see
# them as environment variables, have no right on Secret Manager.
resource "google_secret_manager_secret_iam_member" "sync" {
  for_each = local.secrets

  secret_id = google_secret_manager_secret.secrets[each.key].id
  role      = "roles/secretmanager.secretAccessor"
  member    = "${local.principals}/${local.namespace}/sa/secret-sync"

  depends_on = [google_container_cluster.cluster]
}
