/**
 * Why an answer failed, in Japanese. The functions say it in English, as the API's contract is; what they can say is
 * written down in functions/nanoka (failures.py, liveness.py, running.py, readers.py), and a test holds the two together.
 */
const JAPANESE: Record<string, string> = {
  "The model cannot be reached at the moment. Please try again in a minute.":
    "現在モデルに接続できません。しばらくしてからもう一度お試しください。",
  "The model did not begin to answer in time. Please try again.":
    "時間内に回答が始まりませんでした。もう一度お試しください。",
  "The model stopped in the middle of its answer. Please try again.":
    "モデルが回答の途中で止まりました。もう一度お試しください。",
  "The answer took too long and was ended. Ask for less at a time, or try again.":
    "時間がかかりすぎたため回答を終了しました。質問を分けるか、もう一度お試しください。",
  "The connection to the model broke in the middle of its answer. Please try again.":
    "回答の途中でモデルとの接続が切れました。もう一度お試しください。",
  "The model's safety filter stopped this answer. Please put your question in other words.":
    "モデルの安全フィルターがこの回答を止めました。別の言い方でお試しください。",
  "The model gave an empty answer. Please try again, or put your question in other words.":
    "モデルの回答が空でした。もう一度お試しになるか、別の言い方でお試しください。",
  "The model refuses our credentials. Please tell the operator to check the model's settings.":
    "モデルの認証に失敗しました。運営者にモデルの設定の確認をお伝えください。",
  "The model was not found. Please tell the operator to check CHAT_MODEL.":
    "モデルが見つかりません。運営者に CHAT_MODEL の確認をお伝えください。",
  "The question is too long for this model. Please shorten it, or begin a new chat.":
    "このモデルには質問が長すぎます。短くするか、新しい会話を始めてください。",
  "The model did not accept the question. Please put it in other words.":
    "モデルが質問を受け付けませんでした。別の言い方でお試しください。",
  "The model failed in a way that we do not know. Please try again.":
    "原因不明のエラーが起きました。もう一度お試しください。",
  "The answer was interrupted. Please try again.": "回答が中断されました。もう一度お試しください。",
  "The answer was interrupted before it began. Please try again.":
    "回答が始まる前に中断されました。もう一度お試しください。",
  "This answer can no longer be saved: its conversation was deleted, or was out of reach for too long.":
    "会話が削除されたか、長い間つながらなかったため、この回答は保存できませんでした。",
  "The answer cannot be followed at the moment. Please reload the page in a while.":
    "現在回答を受信できません。しばらくしてからページを再読み込みしてください。",
  "The model is answering too many people right now. Please try again in a minute.":
    "現在モデルが混み合っています。1分ほどしてからもう一度お試しください。",
};
const IN_SECONDS = /^The model is answering too many people right now\. Please try again in (\d+) seconds\.$/;

/** The sentence in Japanese; as it is if it is none of these, such as a provider's own. */
export function failureInJapanese(sentence: string): string {
  const seconds = IN_SECONDS.exec(sentence)?.[1];
  if (seconds !== undefined) return `現在モデルが混み合っています。${seconds}秒後にもう一度お試しください。`;
  return JAPANESE[sentence] ?? sentence;
}
