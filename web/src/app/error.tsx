"use client";

import { lazy, Suspense } from "react";

// Next puts this page's code into every other page: loaded by itself, it weighs nothing there.
const Broken = lazy(() => import("@/shell/broken").catch(() => ({ default: Plain })));

/** For a page that cannot load anything either. Both languages, for it has no dictionary. */
function Plain() {
  return (
    <main className="flex min-h-dvh flex-col items-center justify-center gap-4 p-6 text-center">
      <h1 lang="en" className="text-xl font-semibold">
        Something broke on this page <span lang="ja" className="block">ページに問題が起きました</span>
      </h1>
      <button
        type="button"
        lang="en"
        className="min-h-11 rounded-lg bg-accent px-4 text-accent-ink"
        onClick={() => location.reload()}
      >
        Reload <span lang="ja">再読み込み</span>
      </button>
    </main>
  );
}

export default function ErrorPage() {
  return (
    <Suspense>
      <Broken />
    </Suspense>
  );
}
