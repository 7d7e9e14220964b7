import type { NextConfig } from "next";

const config: NextConfig = {
  output: "export",
  // Types are judged by `npm run typecheck`; a build for a newcomer's first minute need not judge them again.
  typescript: { ignoreBuildErrors: true },
  // Without this rule Turbopack ships Tailwind's directives unprocessed.
  turbopack: {
    root: import.meta.dirname,
    rules: { "*.css": { as: "*.css", loaders: ["@tailwindcss/turbopack"] } },
  },
};

export default config;
