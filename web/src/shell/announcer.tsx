"use client";

import { createStore, useStore } from "@/shared/store";

const spoken = createStore("");

/** Say a sentence to people who listen to the page. */
export function speak(sentence: string): void {
  // A region that is set to the words it already has stays silent, so the same sentence differs by a space.
  spoken.update((last) => (last === sentence ? `${sentence}\u00a0` : sentence));
}

export function Announcer() {
  return (
    <div role="status" aria-live="polite" aria-atomic="true" className="sr-only">
      {useStore(spoken)}
    </div>
  );
}
