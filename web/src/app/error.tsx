"use client";

import { lazy, Suspense } from "react";

// Next puts this page's code into every other page: loaded by itself, it weighs nothing there.
const Broken = lazy(() => import("@/shell/broken"));

export default function ErrorPage() {
  return (
    <Suspense>
      <Broken />
    </Suspense>
  );
}
