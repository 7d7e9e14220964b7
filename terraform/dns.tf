# The domain's zone. Its parent delegates to `name_servers`, once, by hand.

resource "google_dns_managed_zone" "zone" {
  name        = local.name
  dns_name    = "${var.domain}."
  description = "Nanoka"

  dnssec_config {
    state = "on"
  }

  depends_on = [google_project_service.services]
}

resource "google_dns_record_set" "address" {
  managed_zone = google_dns_managed_zone.zone.name
  name         = google_dns_managed_zone.zone.dns_name
  type         = "A"
  ttl          = 300
  rrdatas      = [google_compute_address.edge.address]
}

# Only Let's Encrypt may issue for it (RFC 8659).
resource "google_dns_record_set" "authority" {
  managed_zone = google_dns_managed_zone.zone.name
  name         = google_dns_managed_zone.zone.dns_name
  type         = "CAA"
  ttl          = 3600
  rrdatas      = ["0 issue \"letsencrypt.org\"", "0 issuewild \";\""]
}
