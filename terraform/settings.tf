# What this installation is, for the manifests: everything of it that they do not say themselves.

locals {
  # As PostgreSQL knows them (database.tf).
  database_user = { for name in local.database_users : name => "${local.name}-${name}@${var.project_id}.iam" }

  # Under the names that knative/overlays/production/settings uses.
  settings = merge({ for name, user in local.database_user : "DB_USER_${upper(replace(name, "-", "_"))}" => user }, {
    PROJECT_ID               = var.project_id
    REGION                   = var.region
    DOMAIN                   = var.domain
    ALERT_EMAIL              = var.alert_email
    PUBLIC_URL               = "https://${var.domain}"
    IMAGES                   = "${var.region}-docker.pkg.dev/${var.project_id}/${local.name}"
    INSTANCE_CONNECTION_NAME = "${var.project_id}:${var.region}:${local.name}"
    DB_NAME                  = local.name
    DB_APP_USERS             = join(",", [for name in ["login", "send-message", "list-history"] : local.database_user[name]])
    GOOGLE_CLOUD_PROJECT     = var.project_id
    GOOGLE_CLOUD_LOCATION    = var.model_location
    PURGE_CALLERS            = "${local.name}-purge-caller@${var.project_id}.iam.gserviceaccount.com"
  })
}
