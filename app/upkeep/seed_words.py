"""What made-up visitors and assistants say to each other, by language."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Words:
    """`site`: key and name of a site that speaks so; `confirmation` holds its `phrase`.

    `visitor` and `assistant` are lines in any order. `dial`: the start of a phone number that is
    completed by six digits.
    """

    language: str
    region: str
    timezone: str
    site: tuple[str, str]
    greeting: str
    visitor: tuple[str, ...]
    assistant: tuple[str, ...]
    phrase: str
    confirmation: str
    first_names: tuple[str, ...]
    last_names: tuple[str, ...]
    dial: str


WORDS = (
    Words(
        "en",
        "GB",
        "Europe/London",
        ("sample-kitchens", "Harbour & Oak (sample)"),
        "Hello! I am the automated assistant. How can we help you?",
        (
            "Hi, I would like a new kitchen.",
            "Can somebody call me within 24 hours?",
            "It is about 14 square metres, and the wall to the dining room may go.",
            "My budget is about £12,000.",
            "Do you work on Saturdays?",
            "Thanks, that helps 👍",
            "No, I have not got any plans yet.",
        ),
        (
            "What size is the room?",
            "Happy to help! Is there a day of the week that suits you best?",
            "We fit kitchens and bathrooms of every size, and our designers will be glad to talk "
            "through what you have in mind.",
            "May I ask for your name and e-mail address?",
            "We are open from Monday to Saturday, 8 to 18.",
            "Of course. Is there anything else we should know?",
        ),
        "within 24 hours",
        "Thank you! Your request is booked and we will contact you within 24 hours.",
        ("Ann", "James", "Olivia", "Zoë", "Mohammed", "Grace", "Liam", "Priya"),
        ("Smith", "O'Neill", "Taylor", "Okafor", "Hughes", "Patel", "Baker", "Wright"),
        "+442079",
    ),
    Words(
        "de",
        "DE",
        "Europe/Berlin",
        ("sample-baeder", "Bäder Grünwald (sample)"),
        "Guten Tag! Ich bin der automatische Assistent. Womit können wir helfen?",
        (
            "Hallo, wir möchten unser Bad erneuern.",
            "Was kostet eine bodengleiche Dusche ungefähr?",
            "Es sind etwa acht Quadratmeter im ersten Stock.",
            "Am liebsten nächste Woche, nachmittags.",
            "Danke schön!",
        ),
        (
            "Gern! Wie groß ist das Bad?",
            "Das hängt von den Fliesen ab. Haben Sie schon etwas ausgesucht?",
            "Darf ich nach Ihrem Namen und Ihrer E-Mail-Adresse fragen?",
            "Verstanden. Gibt es sonst noch etwas, das wir wissen sollten?",
        ),
        "innerhalb von 24 Stunden",
        "Vielen Dank! Wir melden uns innerhalb von 24 Stunden bei Ihnen.",
        ("Jürgen", "Anna", "Özlem", "Lukas", "Käthe", "Max"),
        ("Müller", "Weiß", "Schröder", "Yılmaz", "Fischer", "Krüger"),
        "+4930",
    ),
    Words(
        "fr",
        "FR",
        "Europe/Paris",
        ("sample-clinique", "Clinique Lumière (sample)"),
        "Bonjour ! Je suis l'assistant automatique. Comment pouvons-nous vous aider ?",
        (
            "Bonjour, je voudrais un rendez-vous.",
            "C'est pour un contrôle, la dernière visite date d'il y a deux ans.",
            "Plutôt le matin, s'il vous plaît.",
            "Combien coûte une consultation ?",
            "Merci beaucoup !",
        ),
        (
            "Avec plaisir. Est-ce votre première visite ?",
            "Quel jour vous conviendrait le mieux ?",
            "Puis-je avoir votre nom et votre adresse e-mail ?",
            "Très bien, c'est noté.",
        ),
        "sous 24 heures",
        "Merci ! Nous vous rappelons sous 24 heures.",
        ("Chloé", "Étienne", "Léa", "Jérôme", "Aïcha", "Noël"),
        ("Lefèvre", "Dupont", "Garçon", "Benali", "Moreau", "Petit"),
        "+33142",
    ),
    Words(
        "ru",
        "RU",
        "Europe/Moscow",
        ("sample-remont", "Ремонт Плюс (sample)"),
        "Здравствуйте! Я автоматический помощник. Чем мы можем помочь?",
        (
            "Здравствуйте, нужен ремонт двухкомнатной квартиры.",
            "Пятьдесят шесть метров, дом кирпичный.",
            "Хотелось бы начать весной.",
            "Сколько это примерно стоит?",
            "Спасибо!",
        ),
        (
            "С удовольствием! Какая у вас площадь?",
            "Когда вам было бы удобно начать?",
            "Как вас зовут и на какой адрес прислать предложение?",
            "Хорошо, записал.",
        ),
        "в течение 24 часов",
        "Спасибо! Мы свяжемся с вами в течение 24 часов.",
        ("Анна", "Дмитрий", "Ольга", "Сергей", "Наталья", "Пётр"),
        ("Иванова", "Смирнов", "Кузнецова", "Попов", "Волкова", "Соколов"),
        "+74951",
    ),
)
