import { onDemand } from "@/shared/on-demand";
import { createStore } from "@/shared/store";

/** The dialog that lies over the page, if one does. */
export type Sheet = "settings" | "shortcuts" | "delete-all" | "delete-account";

export const sheet = createStore<Sheet | null>(null);

export const { Part: Sheets, preload: preloadSheets } = onDemand(() => import("@/account/sheets"));
