import type { Sheet } from "@/shell/sheets";
import { DeleteAccount, DeleteAll } from "./deletion";
import { Settings } from "./settings";
import { ShortcutSheet } from "./shortcut-sheet";

const SHEETS = {
  settings: Settings,
  shortcuts: ShortcutSheet,
  "delete-all": DeleteAll,
  "delete-account": DeleteAccount,
};

/** The dialog that is open; all of them come in one file, with the first one that is wanted. */
export default function Sheets({ open, onClose }: { open: Sheet; onClose: () => void }) {
  const Open = SHEETS[open];
  return <Open onClose={onClose} />;
}
