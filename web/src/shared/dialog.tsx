import * as Radix from "@radix-ui/react-dialog";
import { type ReactNode, useState } from "react";
import { useWords } from "@/i18n";
import { focusComposer } from "./focus";
import { IconButton } from "./icon-button";
import { CloseIcon } from "./icons";

interface Props {
  title: string;
  /** What it is about, if its content does not begin with it. */
  note?: string;
  onClose: () => void;
  children: ReactNode;
  /** A question that must be answered: no way out but its own buttons and Escape. */
  alert?: boolean;
}

/** A dialog over the page. */
export function Dialog({ title, note, onClose, children, alert = false }: Props) {
  const words = useWords();
  const [opener] = useState(() => document.activeElement);
  return (
    <Radix.Root
      open
      onOpenChange={(open) => {
        if (!open) onClose();
      }}
    >
      <Radix.Portal>
        <Radix.Overlay className="fixed inset-0 z-40 bg-black/40" />
        <Radix.Content
          role={alert ? "alertdialog" : "dialog"}
          {...(note === undefined ? { "aria-describedby": undefined } : {})}
          onCloseAutoFocus={(event) => {
            // Radix gives the focus back to its own trigger only, and these dialogs open in many ways.
            event.preventDefault();
            if (opener instanceof HTMLElement && opener.isConnected && opener !== document.body) opener.focus();
            else focusComposer();
          }}
          onPointerDownOutside={(event) => {
            if (alert) event.preventDefault();
          }}
          className="fixed top-1/2 left-1/2 z-50 flex max-h-[88dvh] w-[min(30rem,calc(100vw-2rem))] -translate-x-1/2 -translate-y-1/2 animate-rise flex-col overflow-y-auto rounded-2xl border border-line bg-raised p-6 shadow-xl outline-none"
        >
          <div className="flex items-start justify-between gap-4">
            <Radix.Title className="text-lg font-semibold">{title}</Radix.Title>
            {!alert && (
              <Radix.Close asChild>
                <IconButton label={words.account.close} className="-mt-1 -mr-2">
                  <CloseIcon />
                </IconButton>
              </Radix.Close>
            )}
          </div>
          {note !== undefined && <Radix.Description className="mt-2 leading-7 text-soft">{note}</Radix.Description>}
          {children}
        </Radix.Content>
      </Radix.Portal>
    </Radix.Root>
  );
}
