output "settings" {
  description = "Lines NAME=value for the overlay's settings file."
  value       = join("", [for name, value in local.settings : "${name}=${value}\n"])
}

output "name_servers" {
  description = "What the parent zone must delegate the domain to."
  value       = google_dns_managed_zone.zone.name_servers
}

output "address" {
  description = "The address that people's browsers reach."
  value       = google_compute_address.edge.address
}

output "cluster_endpoint" {
  description = "The API server's host name, for the argocd step."
  value       = google_container_cluster.cluster.control_plane_endpoints_config[0].dns_endpoint_config[0].endpoint
}

output "connections" {
  description = "PostgreSQL's limit, and how much of it the functions may hold together."
  value = {
    max    = var.database.max_connections
    usable = var.database.max_connections - local.reserved_connections
  }
}

output "ranges" {
  description = "Address ranges that network policies name."
  value       = local.ranges
}

output "github" {
  description = "Variables of the GitHub repository for its workflows; null without github_repository."
  value = var.github_repository == null ? null : {
    GOOGLE_PROVIDER = google_iam_workload_identity_pool_provider.github["this"].name
    RELEASE_ACCOUNT = google_service_account.release["this"].email
    PLAN_ACCOUNT    = google_service_account.plan["this"].email
    IMAGES          = local.settings.IMAGES
    STATE_BUCKET    = var.github_repository.state_bucket
  }
}
