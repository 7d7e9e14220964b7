import { useWords } from "@/i18n";
import { Button } from "@/shared/button";
import { Dialog } from "@/shared/dialog";
import { useStore } from "@/shared/store";
import { chooseLanguage, chooseTheme, language, theme } from "@/shell/preferences";
import { sheet } from "@/shell/sheets";
import { Choice } from "./choice";
import { user } from "./user";

/** Language, theme, and the person's data. */
export function Settings({ onClose }: { onClose: () => void }) {
  const words = useWords();
  const person = useStore(user);
  return (
    <Dialog title={words.account.settings} onClose={onClose}>
      {person && <p className="mt-1 text-sm wrap-anywhere text-soft">{words.account.signedInAs(person.email)}</p>}
      <Choice
        legend={words.account.language}
        name="language"
        value={useStore(language)}
        onChoose={chooseLanguage}
        options={[
          { value: "ja", label: "日本語", lang: "ja" },
          { value: "en", label: "English", lang: "en" },
        ]}
      />
      <Choice
        legend={words.account.theme}
        name="theme"
        value={useStore(theme)}
        onChoose={chooseTheme}
        options={[
          { value: "system", label: words.account.system },
          { value: "light", label: words.account.light },
          { value: "dark", label: words.account.dark },
        ]}
      />
      <section className="mt-7 border-t border-line pt-5">
        <h3 className="text-sm font-medium">{words.account.data}</h3>
        <p className="mt-1 text-sm leading-6 text-soft">{words.account.dataNote}</p>
        <div className="mt-3 flex flex-wrap gap-2">
          <Button onClick={() => sheet.set("delete-all")}>{words.account.deleteAll}</Button>
          <Button kind="danger" onClick={() => sheet.set("delete-account")}>
            {words.account.deleteAccount}
          </Button>
        </div>
      </section>
    </Dialog>
  );
}
