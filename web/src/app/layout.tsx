import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { Metadata, Viewport } from "next";
import type { ReactNode } from "react";
import { en } from "@/i18n/en";
import { fonts } from "./fonts";
import "./globals.css";

export const metadata: Metadata = {
  title: en.name,
  description: en.description,
  applicationName: en.name,
  icons: {
    icon: [
      { url: "/icon.svg", type: "image/svg+xml" },
      { url: "/icon-192.png", type: "image/png", sizes: "192x192" },
    ],
    apple: "/apple-touch-icon.png",
  },
  appleWebApp: { title: en.name, capable: true },
  formatDetection: { telephone: false },
  referrer: "same-origin",
};

export const viewport: Viewport = {
  width: "device-width",
  initialScale: 1,
  viewportFit: "cover",
  interactiveWidget: "resizes-content",
  themeColor: [
    { media: "(prefers-color-scheme: light)", color: "#faf9f6" },
    { media: "(prefers-color-scheme: dark)", color: "#161817" },
  ],
};

/** In the page itself, so that it costs no request; its hash is in the Content-Security-Policy like all others. */
const boot = readFileSync(join(process.cwd(), "src/app/boot.js"), "utf8");

export default function RootLayout({ children }: { children: ReactNode }) {
  return (
    <html lang="en" className={fonts} suppressHydrationWarning>
      <head>
        <script dangerouslySetInnerHTML={{ __html: boot }} />
      </head>
      <body className="antialiased">{children}</body>
    </html>
  );
}
