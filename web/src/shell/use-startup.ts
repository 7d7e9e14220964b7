import { useEffect, useLayoutEffect } from "react";
import { followSignOut } from "@/account/leaving";
import { loadUser, toSignIn } from "@/account/user";
import { whenSignedOut } from "@/api/client";
import { wakeUp } from "@/api/messages";
import { drafts } from "@/composer/drafts";
import { outbox } from "@/conversation/outbox";
import { followOtherTabs, sessionOf } from "@/conversation/sessions";
import { preloadMenu } from "@/shared/menu-button";
import { followList, refresh } from "@/sidebar/list";
import { followWidth } from "@/sidebar/visibility";
import { loadConfig } from "./config";
import { followAddress, place } from "./location";
import { preloadSheets } from "./sheets";

/** What is fetched only when somebody wants it is here by then: they may have no network when they do. */
const AHEAD_MS = 2000;
/** A tab that was left for longer than this asks anew when one comes back to it. */
const STALE_MS = 10_000;

/** What happens once when the page opens: the functions wake, and everything that can change is followed. */
export function useStartup(): void {
  useLayoutEffect(followAddress, []);

  useEffect(() => {
    whenSignedOut(toSignIn);
    wakeUp();
    void loadUser().catch(() => undefined); // 401 leads to the sign-in page; without a name the page works as well
    void refresh();
    void loadConfig().catch(() => undefined); // it only adds a remark
    drafts.sweep();
    outbox.sweep();
    const ends = [followOtherTabs(() => place.get() ?? null), followList(), followSignOut(), followWidth()];
    return () => {
      for (const end of ends) end();
    };
  }, []);

  useEffect(() => {
    const timer = setTimeout(() => {
      preloadMenu();
      preloadSheets();
      void import("./broken").catch(() => undefined);
    }, AHEAD_MS);
    return () => clearTimeout(timer);
  }, []);

  useEffect(() => {
    let left = 0;
    const catchUp = (): void => {
      const here = place.get();
      if (here) void sessionOf(here).sync();
      void refresh();
    };
    const onVisibility = (): void => {
      if (document.hidden) left = Date.now();
      else if (Date.now() - left > STALE_MS) {
        wakeUp();
        catchUp();
      }
    };
    document.addEventListener("visibilitychange", onVisibility);
    addEventListener("online", catchUp);
    return () => {
      document.removeEventListener("visibilitychange", onVisibility);
      removeEventListener("online", catchUp);
    };
  }, []);
}
