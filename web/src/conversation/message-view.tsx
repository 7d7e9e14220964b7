import { memo } from "react";
import { useWords } from "@/i18n";
import { momentText } from "@/i18n/dates";
import { textLanguage } from "@/i18n/text-language";
import { focusComposer, focusSoon } from "@/shared/focus";
import { IconButton } from "@/shared/icon-button";
import { AgainIcon, EditIcon } from "@/shared/icons";
import { useStore } from "@/shared/store";
import { language } from "@/shell/preferences";
import { AnswerEnd, AnswerText } from "./answer";
import { CopyButton } from "./copy-button";
import { EditQuestion } from "./edit-question";
import type { Phase } from "./model";
import type { Session } from "./session";
import type { Message } from "./tree";
import { Versions } from "./versions";

interface Props {
  message: Message;
  versions: readonly Message[];
  session: Session;
  /** Of the answer being written; `idle` for every other message, so that those need not render again. */
  phase: Phase;
  busy: boolean;
  editing: boolean;
  onEdit: (id: string | null) => void;
}

export const MessageView = memo(function MessageView({
  message,
  versions,
  session,
  phase,
  busy,
  editing,
  onEdit,
}: Props) {
  const words = useWords();
  const mine = message.role === "user";
  // What ended badly has its own button to try again.
  const whole = message.status === "complete" || message.status === "stopped";
  const retry = (): void => {
    focusComposer();
    void session.retry(message);
  };
  const regenerate = (): void => {
    focusComposer();
    void session.regenerate(message);
  };
  const cancelEdit = (): void => {
    onEdit(null);
    focusSoon(() => document.getElementById(`edit-${message.id}`));
  };
  const inLanguage = useStore(language);
  const deleted = words.message.lives(momentText(message.expires_at, inLanguage, words));

  return (
    <article
      className={`message group leading-7 ${mine ? "pt-4" : "pb-3"}`}
      data-role={message.role}
      data-status={message.status}
      aria-busy={message.status === "streaming"}
    >
      <h2 className="sr-only">{mine ? words.conversation.you : words.conversation.model}</h2>
      {editing ? (
        <EditQuestion
          text={message.text}
          busy={busy}
          onCancel={cancelEdit}
          onSend={(text) => {
            onEdit(null);
            focusComposer();
            void session.edit(message, text);
          }}
        />
      ) : mine ? (
        <div
          lang={textLanguage(message.text, inLanguage)}
          className="ml-auto w-fit max-w-[85%] rounded-2xl rounded-br-md bg-tint px-4 py-2 wrap-anywhere whitespace-pre-wrap"
        >
          {message.text}
        </div>
      ) : (
        <AnswerText message={message} live={session.live.shown} phase={phase} />
      )}
      {!editing && <AnswerEnd message={message} onRetry={busy ? null : retry} />}
      {!editing && message.status !== "streaming" && (
        <div
          role="group"
          aria-label={words.message.actions}
          className={`mt-1 flex items-center transition-opacity ${mine ? "justify-end opacity-0 group-hover:opacity-100 group-focus-within:opacity-100 pointer-coarse:opacity-100" : "-ml-2"}`}
        >
          {versions.length > 1 && <Versions of={message} all={versions} onChoose={(one) => session.choose(one)} />}
          {message.text !== "" && <CopyButton text={message.text} />}
          {mine ? (
            <IconButton
              id={`edit-${message.id}`}
              label={words.message.edit}
              disabled={busy}
              onClick={() => onEdit(message.id)}
            >
              <EditIcon size={16} />
            </IconButton>
          ) : whole ? (
            <IconButton label={words.message.regenerate} disabled={busy} onClick={regenerate}>
              <AgainIcon size={16} />
            </IconButton>
          ) : null}
          <span className="sr-only">{deleted}</span>
        </div>
      )}
    </article>
  );
});
