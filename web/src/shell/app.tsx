"use client";

import { useCallback, useEffect, useRef, useState } from "react";
import { Composer, type ComposerHandle } from "@/composer/composer";
import { shownMessages } from "@/conversation/changes";
import { ConversationView } from "@/conversation/conversation-view";
import { Header } from "@/conversation/header";
import { emptyConversation } from "@/conversation/model";
import type { Session } from "@/conversation/session";
import { sessionOf } from "@/conversation/sessions";
import { Start } from "@/conversation/start";
import { useWords } from "@/i18n";
import { createStore, useStore } from "@/shared/store";
import { Sidebar } from "@/sidebar/sidebar";
import { drawer } from "@/sidebar/visibility";
import { Announcer } from "./announcer";
import { goTo, place } from "./location";
import { NoticeList } from "./notice-list";
import { Sheets, sheet } from "./sheets";
import { useShortcuts } from "./shortcuts";
import { Tooltip } from "./tooltip";
import { usePreferences } from "./use-preferences";
import { useStartup } from "./use-startup";

const NOTHING = createStore(emptyConversation("", "new"));

/** The whole page: the list at the side, the conversation in the address, and the field to write in. */
export function App({ exportedFor }: { exportedFor: "start" | "conversation" }) {
  const words = useWords();
  usePreferences();
  useStartup();
  useShortcuts();
  const here = useStore(place);
  const openSheet = useStore(sheet);
  const drawerOpen = useStore(drawer);
  const session = here ? sessionOf(here) : null;
  const conversation = useStore(session?.state ?? NOTHING);
  const { title, expiresAt, phase, load } = conversation;
  const [edited, setEdited] = useState<{ in: Session | null; message: string | null }>({ in: null, message: null });
  const editing = edited.in === session ? edited.message : null;
  const setEditing = useCallback((message: string | null) => setEdited({ in: session, message }), [session]);
  const composer = useRef<ComposerHandle>(null);

  useEffect(() => {
    void session?.sync();
  }, [session]);

  useEffect(() => {
    document.title = title ? `${title} – ${words.name}` : words.name;
  }, [title, words]);

  const send = (text: string): void => {
    const target = session ?? sessionOf(crypto.randomUUID(), true);
    if (!session) goTo(target.id);
    void target.ask(text);
  };

  const editLast = (): void => {
    const question = shownMessages(conversation).findLast(({ role }) => role === "user");
    if (question) setEditing(question.id);
  };

  return (
    <div className="flex h-dvh">
      {load !== "missing" && (
        <a
          href="#composer"
          className="fixed top-2 left-2 z-50 -translate-y-20 rounded-lg bg-accent px-4 py-2 text-accent-ink focus:translate-y-0"
        >
          {words.skipToMessage}
        </a>
      )}
      <Sidebar />
      <div className="beside-sidebar flex min-w-0 flex-1 flex-col" inert={drawerOpen}>
        <Header title={session ? title : null} expiresAt={session ? expiresAt : null} />
        <main className="flex min-h-0 flex-1 flex-col">
          {session ? (
            <ConversationView session={session} editing={editing} onEdit={setEditing} />
          ) : here === undefined && exportedFor === "conversation" ? (
            <div className="flex-1" />
          ) : (
            <Start onChoose={(prompt) => composer.current?.fill(prompt)} />
          )}
          {load !== "missing" && (
            <Composer
              ref={composer}
              conversation={here ?? null}
              phase={phase}
              onSend={send}
              onStop={() => void session?.stop().catch(() => undefined)}
              onEditLast={editLast}
            />
          )}
        </main>
      </div>
      <Announcer />
      <NoticeList />
      <Tooltip />
      {openSheet && <Sheets open={openSheet} onClose={() => sheet.set(null)} />}
    </div>
  );
}
