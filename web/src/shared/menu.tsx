import * as Dropdown from "@radix-ui/react-dropdown-menu";
import { type RefObject, useEffect, useRef } from "react";
import { classes } from "./classes";
import { focusSoon } from "./focus";
import type { MenuItem } from "./menu-button";

interface Props {
  label: string;
  items: readonly MenuItem[];
  note: string;
  side: "top" | "bottom";
  byKey: boolean;
  onClose: () => void;
  button: RefObject<HTMLButtonElement | null>;
}

const ITEM =
  "flex min-h-9 items-center rounded-md px-3 text-sm outline-none select-none data-highlighted:bg-hover pointer-coarse:min-h-11";

/** An open menu, placed at the button's own place. */
export default function Menu({ label, items, note, side, byKey, onClose, button }: Props) {
  // What is chosen runs once the menu is gone, so that the focus it wants is not taken back by the closing menu.
  const chosen = useRef<MenuItem | null>(null);
  const content = useRef<HTMLDivElement>(null);

  useEffect(() => {
    // Radix focuses the first item for keys that it saw itself, and it was not there yet when this one was pressed.
    if (byKey) focusSoon(() => content.current?.querySelector<HTMLElement>('[role="menuitem"]'));
  }, [byKey]);

  return (
    <Dropdown.Root
      open
      modal={false}
      onOpenChange={(open) => {
        if (!open) onClose();
      }}
    >
      <Dropdown.Trigger asChild>
        <span aria-hidden="true" tabIndex={-1} className="pointer-events-none absolute inset-0" />
      </Dropdown.Trigger>
      <Dropdown.Portal container={button.current?.closest("nav") ?? null}>
        <Dropdown.Content
          ref={content}
          aria-label={label}
          side={side}
          align="end"
          sideOffset={4}
          collisionPadding={8}
          className="z-50 min-w-48 animate-rise rounded-xl border border-line bg-raised p-1 shadow-lg"
          onInteractOutside={(event) => {
            // The button itself closes its menu, and must not open it again by the same press.
            if (button.current?.contains(event.target as Node)) event.preventDefault();
          }}
          onCloseAutoFocus={(event) => {
            event.preventDefault();
            button.current?.focus();
            chosen.current?.run?.();
          }}
        >
          {items.map((item) => (
            <Dropdown.Item
              key={item.label}
              className={classes(ITEM, item.danger && "text-danger")}
              onSelect={() => {
                chosen.current = item;
              }}
              {...(item.href ? { asChild: true } : {})}
            >
              {item.href ? (
                <a href={item.href} download>
                  {item.label}
                </a>
              ) : (
                item.label
              )}
            </Dropdown.Item>
          ))}
          {note !== "" && (
            <Dropdown.Label className="mt-1 border-t border-line px-3 pt-2 pb-1.5 text-xs text-soft">
              {note}
            </Dropdown.Label>
          )}
        </Dropdown.Content>
      </Dropdown.Portal>
    </Dropdown.Root>
  );
}
