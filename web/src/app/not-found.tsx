"use client";

import { lazy, Suspense } from "react";

// Next puts this page's code into every other page: loaded by itself, it weighs nothing there.
const NotFound = lazy(() => import("@/shell/not-found"));

export default function NotFoundPage() {
  return (
    <Suspense>
      <NotFound />
    </Suspense>
  );
}
