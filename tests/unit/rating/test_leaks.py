"""Answers that give away who wrote them, and those that do not."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from codette_desktop.rating.leaks import leaks

Names = tuple[tuple[str, ...], tuple[str, ...]]
GUIDES: Names = (("Guide S · Q8_0", "guide-s-q8_0"), ("Guide M · Q4_K_M", "guide-m-q4_k_m"))
LLAMA_QWEN: Names = (("Llama 3.2 1B · Q4_K_M",), ("Qwen2.5-0.5B-Instruct · Q8_0",))
TWO_QWENS: Names = (("qwen2.5:0.5b",), ("qwen2.5:7b",))
TUNED: Names = (("Guide S + recipes",), ("Guide S",))
PHI: Names = (("Phi-3 mini",), ("gemma-2-2b-it",))


@pytest.mark.parametrize(
    ("answer", "names", "expected"),
    [
        ("I am Guide M, here to help.", GUIDES, "I am Guide M"),
        ("As Guide S I say:", GUIDES, "Guide S"),
        ("Written by guide-s_q8_0.", GUIDES, "guide-s_q8_0"),
        ("My name is\nguide  s!", GUIDES, "My name is guide s"),
        ("I'm Qwen, created by Alibaba Cloud.", LLAMA_QWEN, "I'm Qwen, created by Alibaba Cloud"),
        ("As **Llama 3.2**, I would", LLAMA_QWEN, "Llama 3.2"),
        ("QWEN2.5 says", LLAMA_QWEN, "QWEN2.5"),
        ("I’m Claude, made by Anthropic.", TWO_QWENS, "I’m Claude, made by Anthropic"),
        ("As an AI developed by OpenAI, I cannot", LLAMA_QWEN, "As an AI developed by OpenAI"),
        ("as a large language model trained by Google", GUIDES, "as a large language model trained by Google"),
        ("My creators are the team at DeepSeek AI", GUIDES, "My creators are the team at DeepSeek AI"),
        ("I am a language model called Foo.", GUIDES, "I am a language model called Foo"),
        ("I am Zorblax, an AI assistant.", GUIDES, "I am Zorblax, an AI assistant"),
        ("An AI assistant? I am an AI assistant developed by Zhongke Labs.", GUIDES, "Zhongke Labs"),
        ("You are talking to ChatGPT-4o.", GUIDES, "You are talking to ChatGPT-4o"),
        ("I am a GPT-4 model", GUIDES, "I am a GPT-4"),
        ("Ich bin Llama, ein Sprachmodell.", GUIDES, "Ich bin Llama"),
        ("Ich wurde von Meta trainiert.", GUIDES, "Ich wurde von Meta"),
        ("Je suis Mistral.", GUIDES, "Je suis Mistral"),
        ("J'ai été créé par Mistral AI", GUIDES, "J'ai été créé par Mistral AI"),
        ("Soy Gemini, entrenado por Google", GUIDES, "Soy Gemini, entrenado por Google"),
        ("Я — GigaChat, модель", GUIDES, "Я — GigaChat"),
        ("我是Qwen。", GUIDES, "我是Qwen"),
        ("我叫通义千问", GUIDES, "我叫通义千问"),
        ("我是由OpenAI训练的模型", GUIDES, "我是由OpenAI训练"),
        ("I am recipes", TUNED, "I am recipes"),
        ("The Phi-3 mini model", PHI, "Phi-3 mini"),
        ("gemma wrote this: Gemma", PHI, "Gemma"),
        ("Ｑｗｅｎ in wide letters", LLAMA_QWEN, "Qwen"),
        ("这是用Qwen写的", LLAMA_QWEN, "Qwen"),
        ("小助手 is here", (("小助手",), ("Guide",)), "小助手"),
        ("I am Meta's Llama", GUIDES, "I am Meta"),
    ],
)
def test_who_names_itself_is_found(answer: str, names: Names, expected: str) -> None:
    for answers in ((answer, "No names here."), ("No names here.", answer)):
        assert any(expected in said for said in leaks("Who are you?", answers, names)), answers
    mirrored = (names[1], names[0])
    assert leaks("Who are you?", (answer, ""), mirrored) == leaks("Who are you?", (answer, ""), names)


@pytest.mark.parametrize(
    ("answer", "names"),
    [
        ("I am Guide, made to help.", GUIDES),  # both are
        ("This guide explains Q8_0, Q4_K_M and medium models. Guide many people! Guides S. A guide. M.", GUIDES),
        ("I'm Qwen, made by Alibaba Cloud.", TWO_QWENS),
        ("A llama in the Andes eats grass; llamas spit. The falcon flies.", LLAMA_QWEN),
        ("I am llama farmer, and as llama wool goes ...", LLAMA_QWEN),
        ("As an AI language model, I cannot do that.", LLAMA_QWEN),
        ("I am a large language model. I was made to help.", LLAMA_QWEN),
        ("Android was developed by Google. I was impressed by Google.", LLAMA_QWEN),
        ("I am John, a farmer. My name is Anna.", LLAMA_QWEN),
        ("As Google Maps shows, Amazon and Apple are far.", LLAMA_QWEN),
        ("Qwenish, tinyllamas, aQwen, qwen_x", LLAMA_QWEN),
        ("The angle phi is small.", PHI),
        ("The best recipes need salt. Recipes!", TUNED),
        ("There are families: Llama 3 by Meta, Qwen 2.5 by Alibaba and others.", LLAMA_QWEN),  # both are named
        ("ChatGPT and Claude are other products.", LLAMA_QWEN),
        ("7b 1.5 Q8_0 instruct chat 0.5B it mini", PHI),
        ("An apple. It is S.", (("An · S",), ("Guide",))),  # too short to be told from other words
        ("", LLAMA_QWEN),
    ],
)
def test_who_talks_of_something_else_is_not(answer: str, names: Names) -> None:
    assert leaks("Tell me something.", (answer, "Fine."), names) == ()


def test_a_name_that_was_asked_for_is_no_leak_unless_one_goes_by_it() -> None:
    prompt = "Compare qwen with other models, and Guide S with Guide M."
    assert leaks(prompt, ("Qwen2.5 is good, Guide S better.", "Guide M"), GUIDES) == ()
    assert leaks(prompt, ("Qwen is good.", ""), LLAMA_QWEN) == ()
    assert leaks(prompt, ("I am Qwen and I am good.", ""), LLAMA_QWEN) == ("I am Qwen",)
    assert leaks("What does a llama eat?", ("Llamas? A Llama eats grass.", ""), LLAMA_QWEN) == ()
    assert leaks("What is a guide?", ("Guide S", ""), GUIDES) == ("Guide S",)


def test_both_answers_are_read_and_each_word_is_said_once() -> None:
    found = leaks("q", ("Qwen. qwen! I'm Claude", "Llama 3.2 or LLAMA 3.2"), LLAMA_QWEN)
    assert set(found) == {"Qwen", "I'm Claude", "Llama 3.2"}
    assert len(found) == 3
    assert leaks("q", ("Qwen or I'm Llama", ""), LLAMA_QWEN) == ("I'm Llama",)


@given(st.text(max_size=200), st.text(max_size=200), st.text(min_size=1, max_size=20), st.text(min_size=1, max_size=20))
def test_any_texts_and_names_are_read(prompt: str, answer: str, one: str, other: str) -> None:
    found = leaks(prompt, (answer, answer[::-1]), ((one,), (other,)))
    assert all(said.strip() for said in found)
    assert leaks(prompt, (answer, answer), ((one,), (one,))) == leaks(prompt, (answer, ""), ((one,), (one,)))


def test_long_answers_are_read_in_no_time() -> None:
    answers = ("I am as an AI " * 10_000, "as an ai language model, called by " * 5_000)
    start = time.perf_counter()
    leaks("q", answers, LLAMA_QWEN)
    assert time.perf_counter() - start < 10
