# GKE Autopilot: pods are paid by what they request, nodes come and go by themselves. Workload identity, network
# policies (Dataplane V2), shielded nodes and, with its API enabled, image streaming are always on in Autopilot.

resource "google_container_cluster" "cluster" {
  name     = local.name
  location = var.region

  enable_autopilot    = true
  deletion_protection = var.deletion_protection

  network    = google_compute_network.network.id
  subnetwork = google_compute_subnetwork.nodes.id

  ip_allocation_policy {
    cluster_secondary_range_name  = "pods"
    services_secondary_range_name = "services"
  }

  private_cluster_config {
    enable_private_nodes = true
  }

  # The API server answers under a name of Google's, to who has a role in this project: no address to open or guard.
  control_plane_endpoints_config {
    dns_endpoint_config {
      allow_external_traffic = true
    }
    ip_endpoints_config {
      enabled = false
    }
  }

  # No certificate that would be a key to everything.
  master_auth {
    client_certificate_config {
      issue_client_certificate = false
    }
  }

  # Whoever has no identity may ask for health and nothing else.
  anonymous_authentication_config {
    mode = "LIMITED"
  }

  # Secret Manager's secrets as Kubernetes Secrets (sign-in's client secret is an environment variable), and as files.
  secret_sync_config {
    enabled = true
    rotation_config {
      enabled           = true
      rotation_interval = "300s"
    }
  }
  secret_manager_config {
    enabled = true
  }

  cluster_autoscaling {
    auto_provisioning_defaults {
      service_account = google_service_account.nodes.email
    }
  }

  node_pool_auto_config {
    node_kubelet_config {
      insecure_kubelet_readonly_port_enabled = "FALSE"
    }
  }

  release_channel {
    channel = "REGULAR"
  }

  # Nights of Saturday and Sunday in Japan; nodes drain politely, but nobody likes to wait for a cold pod.
  maintenance_policy {
    recurring_window {
      start_time = "2026-01-03T16:00:00Z"
      end_time   = "2026-01-03T22:00:00Z"
      recurrence = "FREQ=WEEKLY;BYDAY=SA,SU"
    }
  }

  cost_management_config {
    enabled = true
  }

  security_posture_config {
    mode = "BASIC"
  }

  depends_on = [
    google_project_service.services,
    google_project_iam_member.nodes,
  ]
}
