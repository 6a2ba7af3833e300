"""Names in Latin letters, each with its second spelling: Arabic, Amharic (Ethiopic) and Hindi (Devanagari)."""

from __future__ import annotations

from random import Random
from typing import NamedTuple


class Name(NamedTuple):
    """A name, and how the same name is written locally."""

    latin: str
    local: str


class Culture(NamedTuple):
    """The names that go together, and the ISO 639-3 code of the second spelling."""

    language: str
    male: tuple[Name, ...]
    female: tuple[Name, ...]
    family: tuple[Name, ...]
    alike: tuple[tuple[str, Name, Name], ...]
    """Gender, and two given names that differ in one letter: what twins are called to their registrar's dismay."""


def _names(pairs: str) -> tuple[Name, ...]:
    return tuple(Name(*pair.strip().split("=")) for pair in pairs.split(","))


ARABIC = Culture(
    "ara",
    _names(
        "Ahmed=أحمد,Youssef=يوسف,Omar=عمر,Karim=كريم,Hassan=حسن,Hussein=حسين,Ibrahim=إبراهيم,Khalid=خالد,Samir=سمير,"
        "Tariq=طارق,Bilal=بلال,Idris=إدريس,Anas=أنس,Ilyas=إلياس,Rachid=رشيد,Said=سعيد,Mustafa=مصطفى,Nabil=نبيل,"
        "Zakaria=زكرياء,Hamza=حمزة,Ayoub=أيوب,Abdellah=عبد الله,Jamal=جمال,Walid=وليد"
    ),
    _names(
        "Fatima=فاطمة,Amina=أمينة,Khadija=خديجة,Maryam=مريم,Salma=سلمى,Zineb=زينب,Aisha=عائشة,Nadia=نادية,Leila=ليلى,"
        "Hanane=حنان,Imane=إيمان,Sara=سارة,Houda=هدى,Naima=نعيمة,Rania=رانية,Samira=سميرة,Soukaina=سكينة,Asma=أسماء,"
        "Ghita=غيثة,Hajar=هاجر,Ikram=إكرام,Latifa=لطيفة,Malika=مليكة,Wafae=وفاء"
    ),
    _names(
        "Alaoui=العلوي,Bennani=بناني,Tazi=التازي,Idrissi=الإدريسي,Fassi=الفاسي,Berrada=برادة,Chraibi=الشرايبي,"
        "El-Amrani=العمراني,Ziani=الزياني,Mansouri=المنصوري,Haddad=حداد,Najjar=النجار,Saidi=السعيدي,Benali=بن علي,"
        "Cherkaoui=الشرقاوي,Filali=الفيلالي,Kadiri=القادري,Lahlou=لحلو,Naciri=الناصري,Ouazzani=الوزاني,Rahmouni=الرحموني,"
        "Sebti=السبتي,Tahiri=الطاهري,Yacoubi=اليعقوبي,Zerouali=الزروالي,Ma'mouni=المأموني"
    ),
    (
        ("F", Name("Amina", "أمينة"), Name("Amira", "أميرة")),
        ("F", Name("Salma", "سلمى"), Name("Salwa", "سلوى")),
        ("M", Name("Samir", "سمير"), Name("Samih", "سميح")),
    ),
)

AMHARIC = Culture(
    "amh",
    _names(
        "Abebe=አበበ,Bekele=በቀለ,Dawit=ዳዊት,Yonas=ዮናስ,Tesfaye=ተስፋዬ,Girma=ግርማ,Haile=ኃይለ,Kebede=ከበደ,Mulugeta=ሙሉጌታ,"
        "Solomon=ሰለሞን,Tadesse=ታደሰ,Yohannes=ዮሐንስ,Berhanu=ብርሃኑ,Getachew=ጌታቸው,Samuel=ሳሙኤል,Biruk=ብሩክ,Natnael=ናትናኤል,"
        "Abel=አቤል,Kaleb=ካሌብ,Robel=ሮቤል,Eyob=ኢዮብ,Henok=ሄኖክ"
    ),
    _names(
        "Almaz=አልማዝ,Tigist=ትዕግስት,Hana=ሃና,Selam=ሰላም,Meron=ሜሮን,Bethlehem=ቤተልሔም,Marta=ማርታ,Rahel=ራሔል,Hiwot=ሕይወት,"
        "Genet=ገነት,Aster=አስቴር,Meseret=መሠረት,Mahlet=ማህሌት,Eden=ኤደን,Liya=ሊያ,Saron=ሳሮን,Feven=ፌቨን,Zewditu=ዘውዲቱ,"
        "Yordanos=ዮርዳኖስ,Tsion=ጽዮን,Kidist=ቅድስት,Senait=ሰናይት"
    ),
    _names(
        "Alemu=አለሙ,Assefa=አሰፋ,Ayele=አየለ,Demissie=ደምሴ,Desta=ደስታ,Eshetu=እሸቱ,Fikre=ፍቅሬ,Gebre=ገብሬ,Hailu=ኃይሉ,Lemma=ለማ,"
        "Mekonnen=መኮንን,Mengistu=መንግሥቱ,Negash=ነጋሽ,Shiferaw=ሽፈራው,Tessema=ተሰማ,Tilahun=ጥላሁን,Wolde=ወልዴ,Worku=ወርቁ,"
        "Zeleke=ዘለቀ,Zewde=ዘውዴ,Abera=አበራ,Belay=በላይ,Gebre-Mariam=ገብረ ማርያም,Wolde-Giorgis=ወልደ ጊዮርጊስ"
    ),
    (
        ("M", Name("Dawit", "ዳዊት"), Name("Dawid", "ዳዊድ")),
        ("F", Name("Liya", "ሊያ"), Name("Lina", "ሊና")),
    ),
)

HINDI = Culture(
    "hin",
    _names(
        "Amit=अमित,Rahul=राहुल,Rohan=रोहन,Sunil=सुनील,Vikram=विक्रम,Arjun=अर्जुन,Manoj=मनोज,Deepak=दीपक,Anil=अनिल,"
        "Sanjay=संजय,Rajesh=राजेश,Suresh=सुरेश,Ravi=रवि,Ashok=अशोक,Vivek=विवेक,Nikhil=निखिल,Aarav=आरव,Aditya=आदित्य,"
        "Krishna=कृष्ण,Mohan=मोहन,Gopal=गोपाल,Harish=हरीश"
    ),
    _names(
        "Anita=अनीता,Sunita=सुनीता,Priya=प्रिया,Kavita=कविता,Neha=नेहा,Pooja=पूजा,Asha=आशा,Meena=मीना,Geeta=गीता,"
        "Lakshmi=लक्ष्मी,Radha=राधा,Seema=सीमा,Rekha=रेखा,Usha=उषा,Aarti=आरती,Divya=दिव्या,Jyoti=ज्योति,Kiran=किरण,"
        "Nisha=निशा,Shanti=शांति,Vidya=विद्या,Ananya=अनन्या"
    ),
    _names(
        "Sharma=शर्मा,Verma=वर्मा,Gupta=गुप्ता,Singh=सिंह,Kumar=कुमार,Patel=पटेल,Mehta=मेहता,Joshi=जोशी,Mishra=मिश्रा,"
        "Yadav=यादव,Chauhan=चौहान,Agarwal=अग्रवाल,Tiwari=तिवारी,Pandey=पांडेय,Saxena=सक्सेना,Malhotra=मल्होत्रा,"
        "Kapoor=कपूर,Chopra=चोपड़ा,Bhatt=भट्ट,Desai=देसाई,Nair=नायर,Reddy=रेड्डी,Rao=राव,Iyer=अय्यर"
    ),
    (
        ("F", Name("Anita", "अनीता"), Name("Amita", "अमिता")),
        ("M", Name("Mohan", "मोहन"), Name("Rohan", "रोहन")),
        ("M", Name("Sunil", "सुनील"), Name("Sunit", "सुनीत")),
    ),
)

CULTURES = (ARABIC, ARABIC, AMHARIC, HINDI)
"""Half of the people have an Arabic spelling, a quarter each of the other two."""


def given(culture: Culture, gender: str, rng: Random) -> Name:
    """A given name for M or F; for U, one of either."""
    pool = culture.male if gender == "M" or (gender == "U" and rng.random() < 0.5) else culture.female
    return pool[int(rng.random() * len(pool))]


def family(culture: Culture, rng: Random) -> Name:
    """A family name."""
    return culture.family[int(rng.random() * len(culture.family))]
