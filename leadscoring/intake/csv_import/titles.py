"""What exports of CRMs, mail tools and address books call their columns, in the languages they speak.

The surest first, in lower case with all but letters and digits as one space.
"""

import re

WHO = {
    "email": [
        "email", "email address", "e mail", "e mail address", "work email", "business email",
        "primary email", "contact email", "person email work", "person email", "e mail 1 value", "mail",
        "emailaddress", "email 1", "email1", "person email other", "person email home",
        "email adresse", "e mail adresse", "emailadresse",
        "adresse e mail", "adresse email", "adresse mail", "adresse de messagerie", "courriel",
        "correo", "correo electrónico", "dirección de correo electrónico", "indirizzo e mail",
        "indirizzo email", "posta elettronica", "e mailadres", "emailadres", "e mail adres",
        "endereço de e mail", "endereço de email", "adres e mail", "adres email", "e post",
        "e postadress", "epost", "sähköposti", "sähköpostiosoite", "eメール", "メールアドレス", "メール",
        "電子メール", "email アドレス", "eメールアドレス",
    ],
    "external_id": ["external id", "record id", "contact id", "lead id", "prospect id",
        "customer id", "user id", "person id", "record id contact"],
}  # fmt: skip
PERSON = {
    **WHO,
    "external_id": [*WHO["external_id"], "id", "18 digit id", "datensatz id", "id de registro",
        "id record", "record id contatto", "id do registro", "identyfikator rekordu", "post id",
        "tietueen tunnus", "レコードid"],
    "first_name": ["first name", "firstname", "given name", "forename", "fname", "person first name",
        "vorname", "prénom", "nombre", "nome", "voornaam", "primeiro nome", "imię", "förnamn",
        "etunimi", "名"],
    "last_name": ["last name", "lastname", "surname", "family name", "lname", "person last name",
        "nachname", "familienname", "nom de famille", "nom", "apellidos", "apellido", "cognome",
        "achternaam", "sobrenome", "nazwisko", "efternamn", "sukunimi", "姓"],
    "company": ["company", "company name", "account name", "organization", "organisation",
        "organization name", "organization 1 name", "associated company", "employer", "account",
        "person organization", "unternehmen", "unternehmensname", "name des unternehmens", "firma",
        "entreprise", "nom de l entreprise", "société", "empresa", "nombre de la empresa", "azienda",
        "nome azienda", "nome dell azienda", "bedrijf", "bedrijfsnaam", "nome da empresa",
        "nazwa firmy", "företag", "företagsnamn", "yritys", "yrityksen nimi", "会社名"],
    "job_title": ["job title", "jobtitle", "title", "position", "organization title",
        "organization 1 title", "role", "person job title", "jobtitel", "berufsbezeichnung",
        "positionsbezeichnung", "stellenbezeichnung", "intitulé du poste", "poste", "fonction",
        "cargo", "puesto", "qualifica", "posizione lavorativa", "functie", "functietitel",
        "stanowisko", "befattning", "jobbtitel", "tehtävänimike", "役職"],
    "phone": ["phone", "phone number", "telephone", "work phone", "business phone", "phone 1 value",
        "mobile", "mobile phone", "mobile phone number", "mobile number", "tel", "person phone work",
        "person phone", "telefon", "telefonnummer", "téléphone", "numéro de téléphone", "teléfono",
        "número de teléfono", "telefono", "numero di telefono", "telefoon", "telefoonnummer",
        "telefone", "número de telefone", "numer telefonu", "puhelin", "puhelinnumero", "電話番号"],
    "country": ["country", "country region", "country name", "mailing country", "billing country",
        "address 1 country", "mailingcountry", "business country region", "land", "land region",
        "pays", "pays région", "país", "país región", "paese", "paese area geografica", "land regio",
        "país região", "kraj", "kraj region", "maa", "maa alue", "国", "国 地域"],
    # A property that the starting model asks for.
    "company_size": ["company size", "number of employees", "employees", "no of employees",
        "num employees", "headcount", "numberofemployees", "organization number of employees",
        "anzahl der mitarbeiter", "mitarbeiterzahl", "mitarbeiter", "nombre d employés",
        "nombre de salariés", "número de empleados", "numero di dipendenti", "aantal medewerkers",
        "aantal werknemers", "número de funcionários", "liczba pracowników", "antal anställda",
        "työntekijöiden määrä", "従業員数"],
}  # fmt: skip
ACTIVITY = {
    **WHO,
    "type": ["type", "activity type", "event type", "event", "event name", "activity", "action"],
    "occurred_at": ["occurred at", "timestamp", "event timestamp", "event time", "time",
        "date time", "datetime", "activity date", "event date", "created at", "date", "datum",
        "zeitpunkt", "fecha", "data", "päivämäärä", "日時", "日付"],
    "event_id": ["event id", "activity id", "message id", "uuid", "id"],
    "source": ["source", "event source"],
}  # fmt: skip
SUPPRESSION = {
    "email": WHO["email"],
    "occurred_at": ACTIVITY["occurred_at"],
    "reason": ["reason", "grund", "motif", "motivo", "reden", "powód", "orsak", "syy", "理由"],
}  # fmt: skip
REASON = re.compile("reason|grund|motif|motivo|reden|powód|orsak|syy|理由")
# Fields that are stored as properties.
PROPERTIES = {"company_size"}

# --- who wants no mail ---------------------------------------------------------------------------
# In a title or in the word of a status column.
UNWANTED = re.compile(
    r"unsub|opt(ed)? ?out|optedout|do ?not ?(e ?mail|mail|contact)|donot|\bdnc\b|\bno e ?mails?\b|suppressed"
    r"|complain|spam report|marked .*spam"
    r"|abgemeldet|abmeld|ausgetragen|abbestell|keine e ?mails?|nicht (kontaktieren|anschreiben|mailen)"
    r"|d[ée]sabonn|d[ée]sinscri|ne pas (contacter|envoyer)|ne souhaite (pas|plus)"
    r"|\bbaja\b|cancel\w* .*suscripc|suscripci\w+ cancel|desuscri|no (enviar|contactar)"
    r"|disiscri|annulla\w* .*iscriz|iscrizione annull|non (contattare|inviare)"
    r"|afgemeld|uitgeschreven|niet (mailen|contacteren)"
    r"|cancel\w* .*(inscriç|assinatura)|(inscrição|assinatura) cancel|descadastr|não (enviar|contatar)"
    r"|wypisan|rezygn|anulowa\w* subskryp|subskrypcj\w* anul|nie (wysyłać|kontaktować)"
    r"|avregistrer|avprenumerer|avanmäl|(prenumeration|utskick)\w* avslut"
    r"|peru\w* .*tilau|tilau\w* .*peru|ei sähköposti"
    r"|配信停止|登録解除|購読解除|購読停止|配信不可"
)
BOUNCED = re.compile(
    r"bounced|hard ?bounce|bounce (reason|date|time)|cleaned|clean time|undeliverable|invalid e ?mail"
    r"|e ?mail.*\binvalid|unzustellbar|rebotad|rebote|rebond|バウンス|ハードバウンス"
)
# Not about mail, or figures about mails.
OTHERWISE = re.compile(
    r"fax|\bcalls?\b|phone|\bsms\b|whatsapp|anruf|telef|t[ée]l[ée]ph|\bcounts?\b|\bnumber\b|\brate\b|\btotal\b|soft"
    r"|emails (bounced|unsub)|\blinks?\b|\burl\b|campaign"
)
STATUS = re.compile(
    r"status|estado|statut|stato|(subscription|email|contact|marketing) state"
    r"|(e ?mail|marketing|newsletter).*(status|consent|subscription)"
)
# What a cell of such a column says of somebody who does get mail.
WANTED = frozenset({
    "none", "null", "never", "n a", "na", "subscribed", "active", "opted in", "opt in", "unknown",
    "0000 00 00", "0000 00 00 00 00 00", "valid", "ok", "not bounced", "not unsubscribed", "unbekannt",
})  # fmt: skip


def normalize_title(title: str) -> str:
    return re.sub(r"[\W_]+", " ", title.lower()).strip()
