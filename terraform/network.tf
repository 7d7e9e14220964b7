# One private network: nodes and the database have no public address; what must reach out goes through NAT.

locals {
  ranges = {
    nodes    = "10.10.0.0/20"
    pods     = "10.20.0.0/16"
    services = "10.30.0.0/20"
    database = "10.40.0.0/20"
  }
}

resource "google_compute_network" "network" {
  name                    = local.name
  auto_create_subnetworks = false

  depends_on = [google_project_service.services]
}

resource "google_compute_subnetwork" "nodes" {
  name                     = local.name
  network                  = google_compute_network.network.id
  region                   = var.region
  ip_cidr_range            = local.ranges.nodes
  private_ip_google_access = true

  secondary_ip_range {
    range_name    = "pods"
    ip_cidr_range = local.ranges.pods
  }
  secondary_ip_range {
    range_name    = "services"
    ip_cidr_range = local.ranges.services
  }
}

resource "google_compute_router" "nat" {
  name    = local.name
  network = google_compute_network.network.id
  region  = var.region
}

resource "google_compute_router_nat" "nat" {
  name                               = local.name
  router                             = google_compute_router.nat.name
  region                             = var.region
  nat_ip_allocate_option             = "AUTO_ONLY"
  source_subnetwork_ip_ranges_to_nat = "ALL_SUBNETWORKS_ALL_IP_RANGES"

  log_config {
    enable = true
    filter = "ERRORS_ONLY"
  }
}

# Cloud SQL lives in a network of Google's own, peered with ours over this range.
resource "google_compute_global_address" "database" {
  name          = "${local.name}-database"
  network       = google_compute_network.network.id
  purpose       = "VPC_PEERING"
  address_type  = "INTERNAL"
  address       = split("/", local.ranges.database)[0]
  prefix_length = tonumber(split("/", local.ranges.database)[1])
}

resource "google_service_networking_connection" "database" {
  network                 = google_compute_network.network.id
  service                 = "servicenetworking.googleapis.com"
  reserved_peering_ranges = [google_compute_global_address.database.name]
}

# NGINX's load balancer takes it by name, so a Service that is made anew keeps the address people resolve.
resource "google_compute_address" "edge" {
  name         = local.name
  region       = var.region
  address_type = "EXTERNAL"
  network_tier = "PREMIUM"

  depends_on = [google_project_service.services]

  lifecycle {
    prevent_destroy = true
  }
}
