import { useMemo } from "react";
import { useWords } from "@/i18n";
import { Button } from "@/shared/button";
import { Center } from "@/shared/center";
import { DownIcon } from "@/shared/icons";
import { useStore } from "@/shared/store";
import { goTo } from "@/shell/location";
import { shownMessages } from "./changes";
import { ExpiryNote } from "./expiry-note";
import { MessageView } from "./message-view";
import type { Session } from "./session";
import { Refusal } from "./refusal";
import type { Message } from "./tree";
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
  const { messages, leaf, unsent, phase, load, problem } = conversation;
  const shown = useMemo(() => shownMessages({ messages, leaf, unsent }), [messages, leaf, unsent]);
  const versions = useVersions(messages);
  // A person who has just asked wants to see what comes: every question starts at the end.
  const { scroller, content, atEnd, toEnd } = useFollowEnd(
    `${session.id} ${shown.findLast(({ role, status }) => role === "user" && status !== "unsent")?.key ?? ""}`,
  );
  const readable = useRenderer() || phase !== "idle";
  const count = useGrowing(session.id, shown.length);
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
            {(readable ? shown.slice(-count) : []).map((message) => (
              <MessageView
                key={message.key}
                message={message}
                versions={versions.get(message.id) ?? ALONE}
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

/** The versions of each message that has any: what shares its parent and its role, oldest first. */
function useVersions(messages: readonly Message[]): Map<string, readonly Message[]> {
  return useMemo(() => {
    const groups = Map.groupBy(messages, ({ parent_id, role }) => `${parent_id} ${role}`);
    const several = [...groups.values()].filter(({ length }) => length > 1);
    return new Map(several.flatMap((versions) => versions.map(({ id }) => [id, versions])));
  }, [messages]);
}
