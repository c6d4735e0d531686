"""Forms of the pages: what people type, checked, with errors that say what to do."""

from typing import TYPE_CHECKING, Any
from zoneinfo import available_timezones

from django import forms
from django.contrib.admin.forms import AdminAuthenticationForm
from django.contrib.auth.forms import AuthenticationForm, UserCreationForm
from django.contrib.auth.models import AbstractBaseUser, Group, User
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from cells.domain.errors import InvalidAddress
from cells.domain.protecting import Area, parse_area
from cells.models import Feed, LinkRole, Role, Scope, Sheet
from cells.services.granted import find_group
from cells.services.people import SeveralPeopleError, find_person
from cells.services.protections import layout_of
from cells.services.quotas import address_of
from cells.services.sign_ins import begin_try, end_well

if TYPE_CHECKING:
    AccountForm = UserCreationForm[User]
else:
    AccountForm = UserCreationForm

MAX_TITLE_CHARACTERS = 200  # Sheet.title's column
MAX_TOKEN_NAME_CHARACTERS = 100  # ApiToken.name's column


class TitleForm(forms.Form):
    """The title of a sheet; none is fine, as it is in Google Sheets."""

    title = forms.CharField(
        max_length=MAX_TITLE_CHARACTERS, required=False, label=_("Title of a new sheet")
    )

    def clean_title(self) -> str:
        return self.cleaned_data["title"] or gettext("Untitled sheet")


class NewSheetForm(TitleForm):
    """A new sheet: its title, and the time zone that the browser says it is in."""

    time_zone = forms.CharField(max_length=64, required=False)

    def clean_time_zone(self) -> str:
        """Return no time zone for one that is unknown here: it is nobody's fault."""
        name: str = self.cleaned_data["time_zone"]
        return name if name in available_timezones() else ""


class LinkRoleForm(forms.Form):
    """What anybody who has the address may do."""

    link_role = forms.ChoiceField(
        label=_("Anybody with the link"),
        choices=[
            (LinkRole.NONE, _("cannot open it")),
            (LinkRole.VIEWER, _("can view")),
            (LinkRole.EDITOR, _("can edit")),
        ],
    )


class GrantForm(forms.Form):
    """A person, by name or e-mail address, or a group by name, and the role that they get."""

    username = forms.CharField(max_length=254, label=_("Username, e-mail address or group"))
    role = forms.ChoiceField(
        choices=[
            (Role.VIEWER, _("can view")),
            (Role.EDITOR, _("can edit")),
            (Role.OWNER, _("can edit and share")),
        ],
        initial=Role.EDITOR,
        label=_("Role"),
    )

    def __init__(self, sheet: Sheet, *args: object, **kwargs: object) -> None:
        super().__init__(*args, **kwargs)  # type: ignore[arg-type]
        self.sheet = sheet

    def clean_username(self) -> AbstractBaseUser | Group:
        found = _grantee(self.cleaned_data["username"])
        if not isinstance(found, Group) and found.pk == self.sheet.owner_id:
            raise forms.ValidationError(
                gettext("%(name)s owns this sheet already.") % {"name": found.get_username()}
            )
        return found


def _grantee(text: str) -> AbstractBaseUser | Group:
    """Return who is meant by a name or an address. Raises ValidationError."""
    group = find_group(text)
    try:
        user = find_person(text)
    except SeveralPeopleError:
        raise forms.ValidationError(
            gettext("Several people here have the address %(text)s. Type a username.")
            % {"text": text}
        ) from None
    if user is not None and group is not None:
        raise forms.ValidationError(
            gettext(
                "“%(text)s” is a person and a group. Type the person’s e-mail address, or ask "
                "an administrator to rename the group."
            )
            % {"text": text}
        )
    if group is not None:
        return group
    if user is None and "@" in text:
        raise forms.ValidationError(
            gettext(
                "Nobody here has the address %(text)s. Try their username, or send them the "
                "link below."
            )
            % {"text": text}
        )
    if user is None:
        raise forms.ValidationError(
            gettext("Nobody here is called “%(text)s”, and no group. Check the spelling.")
            % {"text": text}
        )
    return user


class ProtectionForm(forms.Form):
    """A protected range of a sheet as it stands now, and who may edit it besides the owners."""

    range = forms.CharField(
        max_length=40,
        required=False,
        label=_("Range"),
        help_text=_("Such as B2:C5, columns B:C, rows 2:5; empty for the whole sheet"),
    )
    description = forms.CharField(max_length=200, required=False, label=_("What is in it"))
    editors = forms.CharField(
        max_length=5_000,
        required=False,
        label=_("Who may edit it, besides you"),
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text=_("A username, an e-mail address or a group in each line"),
    )
    feeds = forms.ModelMultipleChoiceField(
        Feed.objects.none(),
        required=False,
        widget=forms.CheckboxSelectMultiple,
        label=_("Streams that may write into it"),
    )
    takes_messages = forms.BooleanField(
        required=False, label=_("messages that name this sheet themselves")
    )

    def __init__(self, sheet: Sheet, *args: object, **kwargs: object) -> None:
        super().__init__(*args, **kwargs)  # type: ignore[arg-type]
        self.sheet = sheet
        feeds = self.fields["feeds"]
        assert isinstance(feeds, forms.ModelMultipleChoiceField)  # noqa: S101 - as declared
        feeds.queryset = sheet.feeds.order_by("name")

    def clean_range(self) -> Area:
        try:
            return parse_area(self.cleaned_data["range"], layout_of(self.sheet))
        except InvalidAddress:
            raise forms.ValidationError(
                gettext("This is no range of the sheet. Write one such as B2:C5, B:C or 2:5.")
            ) from None

    def clean_editors(self) -> list[AbstractBaseUser | Group]:
        names = self.cleaned_data["editors"].splitlines()  # a group's name may have commas
        return [_grantee(name.strip()) for name in names if name.strip()]


class RoleForm(forms.Form):
    """Another role for somebody who has one."""

    role = forms.ChoiceField(choices=Role.choices)


class TokenForm(forms.Form):
    """A new access token: what it is for, what it may do, and for how long."""

    name = forms.CharField(max_length=MAX_TOKEN_NAME_CHARACTERS, label=_("What it is for"))
    scope = forms.ChoiceField(
        choices=[(Scope.READ, _("read")), (Scope.WRITE, _("read and write"))], label=_("It may")
    )
    days = forms.TypedChoiceField(
        choices=[
            (30, _("for 30 days")),
            (90, _("for 90 days")),
            (365, _("for a year")),
            ("", _("until I revoke it")),
        ],
        coerce=int,
        empty_value=None,
        required=False,
        initial=90,
        label=_("Valid"),
    )


class _Throttled:
    """Signing in, but not after too many failures; `wait_seconds` until the next try then."""

    wait_seconds = 0

    def clean(self: Any) -> dict[str, Any]:
        account, password = map(self.cleaned_data.get, ("username", "password"))
        if not account or not password:
            return super().clean()  # type: ignore[misc, no-any-return]
        address = address_of(self.request)
        self.wait_seconds = begin_try(account, address)
        if self.wait_seconds:
            minutes = -(-self.wait_seconds // 60)
            sentence = ngettext(
                "Too many tries to sign in. Try again in %(minutes)s minute. An administrator can "
                "let you in sooner, and set a new password if you have forgotten yours.",
                "Too many tries to sign in. Try again in %(minutes)s minutes. An administrator can "
                "let you in sooner, and set a new password if you have forgotten yours.",
                minutes,
            )
            raise forms.ValidationError(sentence % {"minutes": minutes}, code="throttled")
        cleaned: dict[str, Any] = super().clean()  # type: ignore[misc]
        end_well(account, address)
        return cleaned


class SignInForm(_Throttled, AuthenticationForm):
    """A name and a password."""


class AdminSignInForm(_Throttled, AdminAuthenticationForm):
    """A name and a password of somebody who may use the admin."""


class SignUpForm(AccountForm):
    """A new account: a name and a password.

    No e-mail address is asked for. Nothing proves that it is one's own, and whoever claimed
    somebody else's would be given what is meant for them.
    """

    class Meta:
        model = User
        fields = ("username",)
        help_texts = {"username": _("Letters, digits and . + - _, 150 at most.")}

    def clean_username(self) -> str:
        username: str = super().clean_username() or ""  # what was refused already
        if "@" in username:
            raise forms.ValidationError(
                gettext("A username has no @: that is for e-mail addresses.")
            )
        if find_group(username) is not None:
            # By a name that is a person's, too, nothing can be shared with the group any more.
            raise self.instance.unique_error_message(User, ["username"])
        return username
