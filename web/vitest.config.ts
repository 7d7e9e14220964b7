import { join } from "node:path";
import { defineConfig } from "vitest/config";

const packages = join(import.meta.dirname, "node_modules");

/** The tests live with all others, where no node_modules lie above them: their packages are this folder's. */
export default defineConfig({
  resolve: {
    alias: [
      { find: /^@\//, replacement: `${join(import.meta.dirname, "src")}/` },
      { find: /^(vitest|marked|react|react-dom|@testing-library\/[\w-]+)(?=\/|$)/, replacement: `${packages}/$1` },
    ],
  },
  server: { fs: { allow: [join(import.meta.dirname, "..")] } },
  test: {
    environment: "happy-dom",
    include: ["../tests/web/unit/**/*.test.{ts,tsx}"],
    css: false,
    // What is loaded lazily comes when a busy machine gets to it.
    testTimeout: 30_000,
    expect: { poll: { timeout: 20_000 } },
  },
});
