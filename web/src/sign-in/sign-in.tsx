"use client";

import { useEffect } from "react";
import { wasSignedIn } from "@/account/user";
import { getUser, signInAddress } from "@/api/account";
import { useWords } from "@/i18n";
import { Mark } from "@/shared/mark";
import { useStore } from "@/shared/store";
import { chooseLanguage, language } from "@/shell/preferences";
import { usePreferences } from "@/shell/use-preferences";
import { GoogleMark } from "./google-mark";
import { nextPath } from "./next-path";

/** What this is, what happens to one's words, and the way in. */
export function SignIn() {
  const words = useWords();
  usePreferences();
  const other = useStore(language) === "ja" ? "en" : "ja";

  useEffect(() => {
    // Who is signed in already has nothing to do here.
    if (wasSignedIn()) {
      getUser().then(
        () => location.replace(nextPath(location)),
        () => undefined,
      );
    }
    document.title = `${words.signIn.title} – ${words.name}`;
  }, [words]);

  return (
    <main className="flex min-h-dvh flex-col pt-[env(safe-area-inset-top)] pr-[max(1.5rem,env(safe-area-inset-right))] pb-[env(safe-area-inset-bottom)] pl-[max(1.5rem,env(safe-area-inset-left))]">
      <div className="flex h-16 items-center justify-end">
        <button
          type="button"
          lang={other}
          onClick={() => chooseLanguage(other)}
          className="min-h-11 rounded-lg px-3 text-sm text-soft hover:bg-hover hover:text-ink"
        >
          {other === "ja" ? "日本語" : "English"}
        </button>
      </div>
      <div className="mx-auto flex w-full max-w-sm flex-1 flex-col justify-center pb-24">
        <Mark size={52} fading />
        <h1 className="mt-6 text-3xl font-semibold tracking-tight">{words.name}</h1>
        <p className="mt-2 text-lg text-soft">{words.tagline}</p>
        <p className="mt-8 leading-7 text-pretty">{words.signIn.what}</p>
        <a
          href="/api/auth/login"
          onClick={(event) => {
            event.preventDefault();
            location.assign(signInAddress(nextPath(location)));
          }}
          className="mt-8 inline-flex min-h-12 items-center justify-center gap-3 rounded-xl border border-field-line bg-raised px-5 font-medium transition-colors hover:border-accent hover:bg-hover"
        >
          <GoogleMark />
          {words.signIn.button}
        </a>
      </div>
    </main>
  );
}
