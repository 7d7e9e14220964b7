import { useMemo } from "react";
import { useWords } from "@/i18n";
import { Button } from "@/shared/button";
import { Center } from "@/shared/center";
import { DownIcon } from "@/shared/icons";
import { useStore } from "@/shared/store";
import { goTo } from "@/shell/location";
import { ExpiryNote } from "./expiry-note";
import { MessageView } from "./message-view";
import type { Session } from "./session";
import { Refusal } from "./refusal";
import { type Message, pathTo } from "./tree";
import { useFollowEnd } from "./use-follow-end";
import { useGrowing } from "./use-growing";
import { useRenderer } from "./use-renderer";
import { useSpokenAnswer } from "./use-spoken-answer";

const ALONE: readonly Message[] = [];

interface Props {
  session: Session;
  editing: string | null;
  onEdit: (id: string | null) => void;
}

export function ConversationView({ session, editing, onEdit }: Props) {
  const words = useWords();
  const conversation = useStore(session.state);
  const { messages, leaf, phase, load, problem } = conversation;
  const path = useMemo(() => pathTo(messages, leaf), [messages, leaf]);
  const versions = useVersions(messages);
  // A person who has just asked wants to see what comes: every question starts at the end.
  const { scroller, content, atEnd, toEnd } = useFollowEnd(
    `${session.id} ${path.findLast(({ role }) => role === "user")?.key ?? ""}`,
  );
  const readable = useRenderer() || phase !== "idle";
  const count = useGrowing(session.id, path.length);
  useSpokenAnswer(conversation);

  if (load === "missing") {
    return (
      <Center title={words.conversation.missing} note={words.conversation.missingNote}>
        <Button kind="primary" onClick={() => goTo(null)}>
          {words.conversation.startNew}
        </Button>
      </Center>
    );
  }
  if (load === "failed") {
    return (
      <Center title={words.conversation.loadFailed} note={words.problem.unavailable}>
        <Button kind="primary" onClick={() => void session.sync()}>
          {words.message.retry}
        </Button>
      </Center>
    );
  }
  return (
    <div className="relative min-h-0 flex-1">
      <div ref={scroller} className="absolute inset-0 overflow-y-auto overscroll-contain contain-strict" tabIndex={-1}>
        <div ref={content} className="mx-auto max-w-3xl px-4 pt-4 pb-8 sm:px-6">
          {(load === "loading" || !readable) && (
            <p className="animate-rise py-8 text-center text-soft [animation-delay:300ms] [animation-fill-mode:backwards]">
              {words.conversation.loading}
            </p>
          )}
          <section aria-label={words.conversation.log}>
            {(readable ? path.slice(-count) : []).map((message) => (
              <MessageView
                key={message.key}
                message={message}
                versions={versions.get(`${message.parent_id} ${message.role}`) ?? ALONE}
                session={session}
                phase={message.status === "streaming" ? phase : "idle"}
                busy={phase !== "idle"}
                editing={editing === message.id}
                onEdit={onEdit}
              />
            ))}
          </section>
          {problem && <Refusal problem={problem} />}
          {load === "ready" && <ExpiryNote expiresAt={conversation.expiresAt} />}
        </div>
      </div>
      {!atEnd && (
        <button
          type="button"
          onClick={toEnd}
          className="absolute bottom-3 left-1/2 flex min-h-9 -translate-x-1/2 animate-rise items-center gap-1.5 rounded-full border border-line bg-raised py-1.5 pr-4 pl-3 text-sm shadow-md hover:bg-hover pointer-coarse:min-h-11"
        >
          <DownIcon size={16} />
          {words.conversation.jump}
        </button>
      )}
    </div>
  );
}

/** Messages that have other versions, by what makes them versions of each other: their parent and role. */
function useVersions(messages: readonly Message[]): Map<string, readonly Message[]> {
  return useMemo(() => {
    const groups = Map.groupBy(messages, ({ parent_id, role }) => `${parent_id} ${role}`);
    return new Map([...groups].filter(([, versions]) => versions.length > 1));
  }, [messages]);
}
