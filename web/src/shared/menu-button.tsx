import { type KeyboardEvent, type ReactNode, useRef, useState } from "react";
import { onDemand } from "./on-demand";

export interface MenuItem {
  label: string;
  run?: () => void;
  /** A download instead of an action. */
  href?: string;
  danger?: boolean;
}

const { Part: Menu, preload } = onDemand(() => import("./menu"));
export const preloadMenu = preload;

interface Props {
  label: string;
  /** The button shows its own name: `label` is the menu's alone. */
  named?: boolean;
  items: readonly MenuItem[];
  className?: string;
  /** A fact about what the menu belongs to, under its items. */
  note?: string;
  side?: "top" | "bottom";
  children: ReactNode;
}

/** A button that opens a menu. The menu itself (Radix) is fetched when somebody is about to use it. */
export function MenuButton({ label, named = false, items, className, note = "", side = "bottom", children }: Props) {
  const [open, setOpen] = useState<"by-pointer" | "by-key" | null>(null);
  const button = useRef<HTMLButtonElement>(null);
  const onKeyDown = (event: KeyboardEvent): void => {
    if (event.key !== "ArrowDown" && event.key !== "ArrowUp") return;
    event.preventDefault();
    setOpen("by-key");
  };
  return (
    <span className="relative flex min-w-0">
      <button
        ref={button}
        type="button"
        aria-label={named ? undefined : label}
        aria-haspopup="menu"
        aria-expanded={open !== null}
        className={className}
        onPointerEnter={preload}
        onFocus={preload}
        // A click without a pointer is a pressed key.
        onClick={({ detail }) => setOpen(open ? null : detail === 0 ? "by-key" : "by-pointer")}
        onKeyDown={onKeyDown}
      >
        {children}
      </button>
      {open && (
        <Menu
          label={label}
          items={items}
          note={note}
          side={side}
          byKey={open === "by-key"}
          onClose={() => setOpen(null)}
          button={button}
        />
      )}
    </span>
  );
}
