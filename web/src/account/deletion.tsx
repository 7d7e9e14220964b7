import { type ReactNode, useState } from "react";
import { deleteAccount } from "@/api/account";
import { deleteAllConversations } from "@/api/conversations";
import { drafts } from "@/composer/drafts";
import { outbox } from "@/conversation/outbox";
import { closeSession } from "@/conversation/sessions";
import { useWords } from "@/i18n";
import { Button } from "@/shared/button";
import { Dialog } from "@/shared/dialog";
import { announce } from "@/shared/signals";
import { useStore } from "@/shared/store";
import { goTo } from "@/shell/location";
import { notify } from "@/shell/notices";
import { leave } from "./leaving";
import { user } from "./user";

interface ConfirmProps {
  title: string;
  note: string;
  label: string;
  allowed?: boolean;
  run: () => Promise<void>;
  onClose: () => void;
  children?: ReactNode;
}

/** Ask once more before what cannot be undone. */
function Confirm({ title, note, label, allowed = true, run, onClose, children }: ConfirmProps) {
  const words = useWords();
  const [state, setState] = useState<"asking" | "running" | "failed">("asking");
  const confirm = async (): Promise<void> => {
    setState("running");
    try {
      await run();
      onClose();
    } catch {
      setState("failed");
    }
  };
  return (
    <Dialog title={title} note={note} onClose={onClose} alert>
      {children}
      {state === "failed" && (
        <p role="alert" className="mt-3 text-sm text-danger">
          {words.account.deleteFailed}
        </p>
      )}
      <div className="mt-6 flex flex-wrap justify-end gap-2">
        <Button onClick={onClose}>{words.account.cancel}</Button>
        <Button kind="danger" disabled={!allowed || state === "running"} onClick={() => void confirm()}>
          {label}
        </Button>
      </div>
    </Dialog>
  );
}

export function DeleteAll({ onClose }: { onClose: () => void }) {
  const words = useWords();
  const run = async (): Promise<void> => {
    await deleteAllConversations();
    closeSession(null);
    drafts.sweep(true);
    outbox.sweep(true);
    announce({ type: "deleted", id: null });
    goTo(null);
    notify(words.account.deleteAllDone);
  };
  return (
    <Confirm
      title={words.account.deleteAllTitle}
      note={words.account.deleteAllNote}
      label={words.account.deleteAll}
      run={run}
      onClose={onClose}
    />
  );
}

export function DeleteAccount({ onClose }: { onClose: () => void }) {
  const words = useWords();
  const person = useStore(user);
  const [understood, setUnderstood] = useState(false);
  const run = async (): Promise<void> => {
    await deleteAccount();
    leave();
  };
  return (
    <Confirm
      title={words.account.deleteAccountTitle}
      note={words.account.deleteAccountNote(person?.email ?? "")}
      label={words.account.deleteAccount}
      allowed={understood}
      run={run}
      onClose={onClose}
    >
      <label className="mt-4 flex min-h-9 cursor-pointer items-center gap-3 text-sm">
        <input
          type="checkbox"
          checked={understood}
          onChange={(event) => setUnderstood(event.target.checked)}
          className="size-5 shrink-0 accent-(--accent)"
        />
        {words.account.deleteAccountConfirm}
      </label>
    </Confirm>
  );
}
