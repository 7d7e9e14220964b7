import { useWords } from "@/i18n";
import { MenuButton } from "@/shared/menu-button";
import { useStore } from "@/shared/store";
import { sheet } from "@/shell/sheets";
import { notify } from "@/shell/notices";
import { signOut } from "./leaving";
import { user } from "./user";

/** Who is signed in, at the foot of the list, and what they can do about it. */
export function AccountMenu() {
  const words = useWords();
  const person = useStore(user);
  const name = person ? person.name || person.email : null;
  return (
    <div className="border-t border-line p-2">
      <MenuButton
        label={words.account.menu}
        named
        side="top"
        className="flex min-h-11 w-full min-w-0 items-center gap-2.5 rounded-lg px-2.5 text-left text-sm hover:bg-hover"
        items={[
          { label: words.account.settings, run: () => sheet.set("settings") },
          { label: words.account.shortcuts, run: () => sheet.set("shortcuts") },
          { label: words.account.signOut, run: () => void signOut().catch(() => notify(words.account.signOutFailed)) },
        ]}
        note={person ? words.account.signedInAs(person.email) : ""}
      >
        {/* The initial is drawn, not written: it would be read before the name that it begins. */}
        <span
          aria-hidden="true"
          data-initial={name === null ? "" : Array.from(name)[0]}
          className="before:content-[attr(data-initial)] flex size-7 shrink-0 items-center justify-center rounded-full bg-tint text-xs font-semibold text-accent uppercase"
        />
        <span className="min-w-0 flex-1 truncate">
          {name ?? words.account.menu}
          {name !== null && <span className="sr-only">, {words.account.menu}</span>}
        </span>
      </MenuButton>
    </div>
  );
}
