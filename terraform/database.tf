# PostgreSQL 18 without a public address and without a single password: who connects is a service account.

locals {
  # PostgreSQL keeps three for superusers; the rest is for Google's own agents, and for an operator with psql.
  reserved_connections = 10
}

resource "google_sql_database_instance" "database" {
  name                = local.name
  region              = var.region
  database_version    = "POSTGRES_18"
  deletion_protection = var.deletion_protection

  settings {
    # Stated, since Enterprise Plus is the default from PostgreSQL 16 on, and knows no small tiers.
    edition           = "ENTERPRISE"
    tier              = var.database.tier
    availability_type = var.database.highly_available ? "REGIONAL" : "ZONAL"

    disk_type             = "PD_SSD"
    disk_size             = var.database.disk_size_gb
    disk_autoresize       = true
    disk_autoresize_limit = var.database.disk_limit_gb

    deletion_protection_enabled = var.deletion_protection

    # Connections only by Google's connectors: mutual TLS with certificates that live an hour.
    connector_enforcement = "REQUIRED"

    ip_configuration {
      ipv4_enabled       = false
      private_network    = google_compute_network.network.id
      allocated_ip_range = google_compute_global_address.database.name
      ssl_mode           = "TRUSTED_CLIENT_CERTIFICATE_REQUIRED"
    }

    backup_configuration {
      enabled                        = true
      start_time                     = "17:00"
      point_in_time_recovery_enabled = true
      transaction_log_retention_days = var.database.backup_days

      backup_retention_settings {
        retained_backups = var.database.backup_days
        retention_unit   = "COUNT"
      }
    }

    maintenance_window {
      day          = 7
      hour         = 17
      update_track = var.database.maintenance_track
    }

    insights_config {
      query_insights_enabled  = true
      record_client_address   = false
      record_application_tags = false
    }

    database_flags {
      name  = "cloudsql.iam_authentication"
      value = "on"
    }
    database_flags {
      name  = "max_connections"
      value = tostring(var.database.max_connections)
    }
    database_flags {
      name  = "log_checkpoints"
      value = "on"
    }
    database_flags {
      name  = "log_lock_waits"
      value = "on"
    }
  }

  depends_on = [google_service_networking_connection.database]

  lifecycle {
    # It grows by itself, and never shrinks.
    ignore_changes = [settings[0].disk_size]
  }
}

resource "google_sql_database" "nanoka" {
  name     = local.name
  instance = google_sql_database_instance.database.name
}

# Users without rights: the migrations, which run as the one that may make roles, grant each what it needs.
resource "google_sql_user" "users" {
  for_each = toset(local.database_users)

  # PostgreSQL's names end before ".gserviceaccount.com", since they are cut at 63 bytes.
  name           = trimsuffix(google_service_account.workloads[each.key].email, ".gserviceaccount.com")
  instance       = google_sql_database_instance.database.name
  type           = "CLOUD_IAM_SERVICE_ACCOUNT"
  database_roles = each.key == "migrate" ? ["cloudsqlsuperuser"] : null
}
