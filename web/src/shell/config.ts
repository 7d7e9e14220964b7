import { createStore } from "@/shared/store";

/** What the operator tells the pages (`/config.json`). */
export interface Config {
  /** The only languages that the model knows (BCP 47); absent when there is nothing to warn of. */
  model_languages?: readonly string[];
}

export const config = createStore<Config>({});

export async function loadConfig(): Promise<void> {
  const response = await fetch("/config.json");
  if (response.ok) config.set((await response.json()) as Config);
}
